# forwardauth as a container: no compiler, no pip, no shell of its own needed, and
# nothing written outside /data, so the root file system may be read-only.
#
#   docker build --tag forwardauth .
#   docker run --read-only --cap-drop ALL --volume ./config:/config:ro \
#       --volume forwardauth:/data forwardauth
#
# /config holds config.yaml and what it names; /data holds the SQLite store and the
# journal, if config.yaml places them there as deploy/forwardauth/config.yaml does.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python3 -m venv /opt/forwardauth
COPY pyproject.toml README.md LICENSE ./
COPY forwardauth forwardauth
# The interpreter's byte code is written now: later there may be no place for it.
RUN /opt/forwardauth/bin/python -m pip install \
        --no-cache-dir --disable-pip-version-check --compile '.[speed]' \
    && /opt/forwardauth/bin/python -m pip uninstall --yes setuptools pip

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="forwardauth" \
      org.opencontainers.image.description="Forward authentication for reverse proxies, with a logout that ends the session" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="the forwardauth authors"
COPY --from=build /opt/forwardauth /opt/forwardauth
RUN mkdir /config /data && chown 10001:10001 /data && chmod 700 /data
ENV PATH=/opt/forwardauth/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HEALTH_URL=http://127.0.0.1:9091/api/health
USER 10001:10001
WORKDIR /data
VOLUME /data
# The service, and metrics with probes; both addresses are set in config.yaml.
EXPOSE 9091 9191
# HEALTH_URL follows server.listen and server.base_path. No proxy is asked for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(os.environ['HEALTH_URL'], timeout=4).close()"]
ENTRYPOINT ["forwardauth"]
CMD ["serve", "--config", "/config/config.yaml"]
