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
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    SOURCE_DATE_EPOCH=0
WORKDIR /src
# What installs and builds stays in an environment that is left behind.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/forwardauth
# Every version and the hash of every file is known beforehand; script/lock writes them.
COPY requirements.lock requirements-build.lock ./
# The interpreter's byte code is written now: later there may be no place for it.
RUN /opt/build/bin/python -m pip install --require-hashes --no-deps \
        --requirement requirements-build.lock \
    && /opt/build/bin/python -m pip --python /opt/forwardauth/bin/python install \
        --require-hashes --no-deps --compile --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY forwardauth forwardauth
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /dist \
    && /opt/build/bin/python -m pip --python /opt/forwardauth/bin/python install \
        --no-index --no-deps --compile /dist/*.whl

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="forwardauth" \
      org.opencontainers.image.description="Forward authentication for reverse proxies, with a logout that ends the session" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="the forwardauth authors" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/forwardauth /opt/forwardauth
RUN mkdir /config /data && chown 10001:10001 /data && chmod 700 /data
ENV PATH=/opt/forwardauth/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
# The service, and metrics with probes; both addresses are set in config.yaml.
EXPOSE 9091 9191
# The service is the first process: it takes the signal itself, and lets what it has
# begun end within server.drain.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["forwardauth", "health", "--config", "/config/config.yaml"]
ENTRYPOINT ["forwardauth"]
CMD ["serve", "--config", "/config/config.yaml"]
