# Two images: `docker build --target keyadmin .` is the command, `docker build --target sandbox .` the local Google Cloud as a server.
# Both run as nobody, on a root file system that may be read-only; what is written goes to /tmp.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY requirements/lock.txt requirements/lock.txt
COPY docs/man docs/man
COPY keyadmin keyadmin
RUN python -m venv /opt/keyadmin && /opt/keyadmin/bin/pip install --no-cache-dir --quiet -c requirements/lock.txt .

FROM python:3.13-slim-bookworm AS keyadmin
COPY --from=build /opt/keyadmin /opt/keyadmin
ENV PATH=/opt/keyadmin/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK NONE
ENTRYPOINT ["keyadmin"]

FROM keyadmin AS sandbox
EXPOSE 8080 8085
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/_sandbox', timeout=2)"]
ENTRYPOINT ["keyadmin", "sandbox", "serve", "--allow-remote", "--rest-port", "8080", "--grpc-port", "8085"]
