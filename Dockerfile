# syntax=docker/dockerfile:1
# The image of the CronJobs: the program, CA roots, and a user that may do nothing. No shell.
#
#   docker build --tag project .
#   docker build --tag project --build-arg FEATURES=--no-default-features .    half the size: no query on local folders

# Rust's version is that of Cargo.toml. Debian's is that of the second stage, so that both have one C library.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
ARG FEATURES=""
# Dependencies and what they were compiled to stay in BuildKit's caches, which are no part of an image: hence the copy.
# hadolint ignore=SC2086
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile dist -p project_cli ${FEATURES} \
    && cp target/dist/project /usr/local/bin/project \
    && project --version

# C library, CA roots, time zones; the user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="project" \
      org.opencontainers.image.description="Copies Postgres tables into a lake that Amazon Athena can query" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /usr/local/bin/project /usr/local/bin/project
# As a number, so that Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/project"]
