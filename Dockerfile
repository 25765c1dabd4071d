# The image of `simgate serve`: docker build -t simgate . , or `make image`, which fills in tag and labels.
# tests/test_container.py carries out these very steps in trees of its own.

# GPU: --build-arg BASE=nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04 --build-arg EXTRAS=elasticsearch,tracing,gpu
# --build-arg LOCK=requirements-gpu.txt; TensorRT's libraries that base has not, see OPERATION.md. Never run.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && python3 -m venv /build
WORKDIR /src

# What simgate needs, each file by its hash.
ARG LOCK=requirements.txt
COPY requirements*.txt ./
RUN /build/bin/pip download -q --require-hashes --no-deps --only-binary :all: -r "$LOCK" -d /wheels

# The bundle goes into a place of its own, and the package is made without it; what trains bundles stays outside.
COPY pyproject.toml README.md LICENSE ./
COPY index_templates index_templates
COPY plugin_server plugin_server
RUN mkdir /opt/simgate && mv plugin_server/default_bundle /opt/simgate/bundle \
    && /build/bin/pip install -q --upgrade --no-index --find-links /wheels setuptools \
    && /build/bin/pip wheel -q --no-index --no-deps --no-build-isolation -w /wheels .

# The environment that serves has no pip, no tests and no other commands; but `ray`, where it is, stays for KubeRay, which
# runs it. Its modules are compiled here, since nothing can be written where they run, and are not compared with their
# sources at each start.
# onnxruntime-gpu has the files of onnxruntime and its own: it is put over it.
ARG EXTRAS=elasticsearch,tracing
ARG SOURCE_DATE_EPOCH=0
RUN python3 -m venv --without-pip /opt/simgate/venv \
    && pip="/build/bin/pip --python /opt/simgate/venv/bin/python" \
    && $pip install -q --no-index --find-links /wheels --no-compile "simgate[$EXTRAS]" \
    && case ",$EXTRAS," in *,gpu,*) \
        $pip uninstall -q -y onnxruntime \
        && $pip install -q --no-index --find-links /wheels --no-compile --no-deps --force-reinstall onnxruntime-gpu \
    ;; esac \
    && find /opt/simgate/venv/lib -depth -type d -name tests -exec rm -r {} + \
    && find /opt/simgate/venv/bin -type f ! -name simgate ! -name ray -delete \
    && PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash /opt/simgate/venv/lib \
    && chmod -R u=rwX,go=rX /opt/simgate \
    && find /opt/simgate -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache \
        /var/log/apt /var/log/*.log \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/simgate/bundle /opt/simgate/bundle
COPY --from=build /opt/simgate/venv /opt/simgate/venv
ENV PATH=/opt/simgate/venv/bin:$PATH
ENV PYTHONDONTWRITEBYTECODE=1
ENV ORT_DISABLE_TELEMETRY=1
ENV SIMGATE_BUNDLE=/opt/simgate/bundle

ARG VERSION=0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title=simgate
LABEL org.opencontainers.image.description="A reranking sidecar for OpenSearch and Elasticsearch that drops near-misses"
LABEL org.opencontainers.image.licenses=Apache-2.0
LABEL org.opencontainers.image.version=${VERSION}
LABEL org.opencontainers.image.revision=${REVISION}
LABEL org.opencontainers.image.created=${CREATED}

# No HEALTHCHECK: which one is right depends on TLS; see "In a container" in plugin_server/OPERATION.md.
USER 10001:10001
EXPOSE 50051 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["simgate"]
CMD ["serve", "--address", "0.0.0.0:50051", "--http", "0.0.0.0:8080"]
