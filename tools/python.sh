# Print the interpreter to build with: 3.12 or newer where there is one (open-api-framework needs it), else 3.11.
fits() { "$1" -c "import sys, venv; sys.exit(not ($2 <= sys.version_info[:2] < (3, 15)))" 2>/dev/null; }
candidates() {
    for version in 3.12 3.13 3.14 3.11; do command -v "python$version"; done
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-4].*/bin/python 2>/dev/null
    command -v python3 python
}
for oldest in "(3, 12)" "(3, 11)"; do
    for python in $(candidates); do
        if fits "$python" "$oldest"; then echo "$python"; exit 0; fi
    done
done
