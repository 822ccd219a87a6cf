# The demo application. It sends its records to OTEL_EXPORTER_OTLP_ENDPOINT and answers on port 8000.
FROM python:3.12-slim
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY otel_bridge otel_bridge
RUN pip install --no-cache-dir --constraint constraints.txt '.[demo]' && useradd --system --uid 10001 demo
USER demo
WORKDIR /
ENV OTEL_SERVICE_NAME=otel-bridge-demo
EXPOSE 8000
ENTRYPOINT ["otel-bridge", "demo", "--serve", "--host", "0.0.0.0", "--port", "8000"]
