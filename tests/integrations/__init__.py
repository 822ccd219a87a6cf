"""
Real servers: what their processes print on stdout, and what a receiver got of each, one to one.

* `serials`: every record has a serial, which stands on its line and goes with it to the receiver.
* `application`: a small application of structlog and `logging`, for WSGI and ASGI.
* `servers`: starts servers, asks them, and compares.
"""
