# One static binary in an empty image. There is no shell, no libc and no user database in it: whatever is not there needs no
# update and helps no intruder.

FROM rust:1-bookworm AS build
WORKDIR /build

# All that the build reads, in one step: .dockerignore lets nothing else through, so no other change gets past this line.
COPY . .

# The cache mounts keep downloaded and compiled dependencies between builds, so a change of the source compiles one crate.
# COPY keeps the files' times, and cargo takes a file older than its cache for unchanged, so that a checkout of an older
# revision would come out as the newer binary: hence `touch`.
# glibc is linked statically for the machine's own triple, amd64 and arm64 alike. The triple has to be spelled out: only with
# --target does cargo keep RUSTFLAGS from procedural macros, which can't be static. Names are never resolved, which is the one
# thing that a static glibc does badly.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
    && triple="$(rustc --version --verbose | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --bin swagip --target "$triple" \
    && cp "target/$triple/release/swagip" /swagip


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
