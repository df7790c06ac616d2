//! Compiles `proto/` without protoc: protox reads the files, prost and tonic write the code.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn error::Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let files = [
        "common",
        "document",
        "exchange",
        "directory",
        "statistics",
        "evidence",
        "changes",
        "lists",
        "notices",
        "tracking",
        "transfer",
        "trust",
        "admin",
        "verdict",
    ];
    let files = files.map(|name| format!("lienthong/v1/{name}.proto"));
    let descriptors = protox::compile(files, [&root])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .bytes(".")
        .codec_path("crate::codec::CountedCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
