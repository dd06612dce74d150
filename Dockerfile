# The base is pinned by version. To pin it by digest as well, which a tag alone does not, build with
#   --build-arg BASE=python:3.13.16-slim-trixie@sha256:<digest>
# where <digest> is what `docker buildx imagetools inspect python:3.13.16-slim-trixie` prints. It is not written
# here, because a digest that nobody renews keeps every later fix of the base out.
ARG BASE=python:3.13.16-slim-trixie

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv --without-pip /opt/bfaudit
COPY requirements.lock requirements-dev.lock ./
# Every dependency by its hash.
RUN python -m pip --python /opt/bfaudit/bin/python install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bfaudit bfaudit
COPY policies policies
COPY reports reports
COPY examples examples
# What builds the wheel has the versions of the lock file too; pip takes no hashes where it builds a folder.
RUN sed -n 's/^\([a-z0-9._-]*==[^ ;]*\).*/\1/p' requirements-dev.lock > versions.txt \
    && PIP_CONSTRAINT=versions.txt python -m pip wheel --no-deps --wheel-dir dist . \
    && python -m pip --python /opt/bfaudit/bin/python install --no-deps --no-index dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="bfaudit" \
      org.opencontainers.image.description="Audits what crypto-exchange API keys may do, against policy written as code." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/bfaudit /opt/bfaudit
ENV PATH=/opt/bfaudit/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /work
# No HEALTHCHECK: it is a command that ends, and one that watches tells how it is by its exit.
ENTRYPOINT ["bfaudit"]
CMD ["--help"]
