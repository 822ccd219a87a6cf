"""
A small Django application, an OTLP receiver with a store, and what asks the stores.

The application, as an operator would run it:

* `today`: Django's settings without the bridge; `chain` is the structlog chain of the five systems.
* `settings`: the same with the bridge, in the few lines that it takes.
* `app`: what it answers and logs. `serve`: its server.

What happens to it:

* `application`: runs it. `visit`: the requests that it is sent. `expected`: what it printed, as records that each store
  must hold.
* `stores`, `loki`, `elasticsearch`: ask each store the same questions. `comparison`: what is missing in the
  answer to one of them. `verdict`: in those to all.
* `report`: what is printed. `run`: all of it, in order, to an exit status.

Where its records go:

* `receiver`: the embedded OTLP receiver; `decoding` reads what arrives, `memory` keeps it.
* `stacks`: containers, the native servers of a checkout, or the embedded receiver. `choice`: which, and why.

`python -m otel_bridge.demo` is `make demo`; `otel-bridge demo` is the part that an installed package can do.
"""
