# One static binary in an empty image. There is no shell, no libc and no user database in it: whatever is not there needs no
# update and helps no intruder.

# The same image is made again from the same source by naming its compiler exactly, and the time that it bears:
# docker build --build-arg RUST_IMAGE=rust:1.95-bookworm@sha256:… --build-arg SOURCE_DATE_EPOCH=0 .
ARG RUST_IMAGE=rust:1-bookworm
FROM ${RUST_IMAGE} AS build
WORKDIR /build

# It writes the list of the crates into the program, so that whoever scans the image knows them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo install --quiet --locked --version 0.7.7 --root /usr/local/cargo cargo-auditable

# All that the build reads, in one step: .dockerignore lets nothing else through, so no other change gets past this line.
COPY . .

# The cache mounts keep downloaded and compiled dependencies between builds, so a change of the source compiles one crate.
# COPY keeps the files' times, and cargo takes a file older than its cache for unchanged, so that a checkout of an older
# revision would come out as the newer binary: hence the first `touch`. The second one leaves no trace of when it was built.
# glibc is linked statically for the machine's own triple, amd64 and arm64 alike. The triple has to be spelled out: only with
# --target does cargo keep RUSTFLAGS from procedural macros, which can't be static. Names are never resolved, which is the one
# thing that a static glibc does badly.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
    && triple="$(rustc --version --verbose | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo auditable build --release --locked --bin swagip --target "$triple" \
    && cp "target/$triple/release/swagip" /swagip \
    && touch --date=@0 /swagip


FROM scratch
LABEL org.opencontainers.image.title="swagip" \
      org.opencontainers.image.description="A fast and honest \"what is my IP\" server" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /swagip /swagip

# A number, because there is no /etc/passwd to find a name in; 65532 is the "nonroot" of distroless images.
USER 65532:65532

# Above 1024, so that it can be bound without a capability.
EXPOSE 8080

# What `docker stop` sends. swagip is process 1, for which the kernel has no default action, and it answers by draining.
STOPSIGNAL SIGTERM

# No HEALTHCHECK: Docker would start a process in each replica each interval, and a load balancer asks /ready by itself. To ask
# by hand, or from a Compose file: `docker exec CONTAINER /swagip healthcheck`.
ENTRYPOINT ["/swagip"]
