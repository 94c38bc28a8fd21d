# thicket in a small image: the server, other engines' libraries, glibc, libstdc++ and CA certificates, nothing else.
#
#   docker build --tag thicket .
#
# BUILD_BASE has Cargo, a C compiler and apt; RUNTIME_BASE has libstdc++, CA certificates and a glibc no older than the
# builder's. `tools/image/build.py` does the same where no registry can be reached.

ARG BUILD_BASE=rust:1.95-slim-bookworm
ARG RUNTIME_BASE=gcr.io/distroless/cc-debian12

FROM ${RUNTIME_BASE} AS runtime
LABEL com.amazonaws.sagemaker.capabilities.multi-models=true \
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
# In a container loopback is nobody's, and of a read-only root only /tmp can be written.
ENV THICKET_HOST=0.0.0.0 THICKET_CACHE_DIR=/tmp/thicket
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/thicket"]
CMD ["serve"]

# `--target prebuilt` takes what was built outside: the build context is a folder that tools/image/layout.py filled.
FROM runtime AS prebuilt
COPY . /

FROM ${BUILD_BASE} AS builder
RUN apt-get update && apt-get install --yes --no-install-recommends make python3-pip
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --package thicket-server
RUN python3 tools/runtimes.py runtimes && python3 tools/image/layout.py target/dist/thicket runtimes /image

FROM runtime
COPY --from=builder /image /
