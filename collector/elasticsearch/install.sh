#!/bin/sh
# Wait for Elasticsearch, then put the index templates of otel-bridge; a second run changes nothing.
# Environment: ELASTICSEARCH_URL, optionally ELASTICSEARCH_USER and ELASTICSEARCH_PASSWORD, or ELASTICSEARCH_API_KEY,
# and ELASTICSEARCH_WAIT (seconds, default 120).
set -eu

url=${ELASTICSEARCH_URL:-http://127.0.0.1:9200}
folder=$(cd "$(dirname "$0")" && pwd)
deadline=$(($(date +%s) + ${ELASTICSEARCH_WAIT:-120}))

ask() {
    # The credentials go through standard input: arguments are visible to every user of the machine.
    if [ -n "${ELASTICSEARCH_API_KEY:-}" ]; then
        printf 'header = "Authorization: ApiKey %s"\n' "$ELASTICSEARCH_API_KEY"
    elif [ -n "${ELASTICSEARCH_USER:-}" ]; then
        printf 'user = "%s:%s"\n' "$ELASTICSEARCH_USER" "${ELASTICSEARCH_PASSWORD:-}"
    fi | curl --silent --show-error --max-time 30 --config - "$@"
}

put() {
    answer=$(ask --request PUT --header 'Content-Type: application/json' --data-binary "@$folder/$2" \
        --write-out '\n%{http_code}' "$url/$1")
    case $answer in
    *'
200') echo "Installed $1 from $2." ;;
    *)
        echo "Elasticsearch refused $1: $answer" >&2
        exit 1
        ;;
    esac
}

until ask --fail --output /dev/null "$url/_cluster/health?wait_for_status=yellow&timeout=5s" 2>/dev/null; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
        echo "Elasticsearch at $url does not answer." >&2
        exit 1
    fi
    sleep 1
done

put _component_template/otel-bridge-catalogue catalogue.json
put _index_template/logs-structlog.otel template.json
