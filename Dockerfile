# Builds with cargo alone (no protoc, no OpenSSL) and runs as a user without rights.
FROM rust:1-slim AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin lienthong

FROM debian:stable-slim
RUN useradd --system --uid 10001 --home-dir /srv/lienthong lienthong \
    && mkdir -p /srv/lienthong/shared /srv/lienthong/data /srv/lienthong/inbox \
    && chown -R lienthong /srv/lienthong
COPY --from=build /src/target/dist/lienthong /usr/local/bin/lienthong
COPY deploy/pki.sh /usr/local/share/lienthong/pki.sh
USER lienthong
WORKDIR /srv/lienthong
EXPOSE 7443
STOPSIGNAL SIGTERM
ENTRYPOINT ["lienthong"]
CMD ["--help"]
