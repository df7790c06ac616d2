//! The hub, measured by its own `bench`.

use std::path::Path;

use anyhow::Context as _;
use tokio::process::Command;

use crate::work::{Figure, Group, Size};

const RECEIPT: &str = "synced · verified · receipt with proof";
const ACKNOWLEDGED: &str = "synced · verified · acknowledgement synced";

pub async fn turn(program: &Path, folder: &Path, size: Size) -> anyhow::Result<Vec<Figure>> {
    let figure = async |name, promise, group, more: &[&str]| {
        let per_second = run(program, folder, size, more).await?;
        anyhow::Ok(Figure { name, promise, group, per_second })
    };
    let deliver = ["--work", "deliver"];
    let unary = ["--way", "unary"];
    Ok(vec![
        figure("lienthong, stream", RECEIPT, Group::Submit, &[]).await?,
        figure("lienthong, a call each", RECEIPT, Group::Submit, &unary).await?,
        figure("lienthong, to the ack", ACKNOWLEDGED, Group::Deliver, &deliver).await?,
        figure("lienthong, 3 recipients", RECEIPT, Group::Three, &["--fan-out", "3"]).await?,
    ])
}

async fn run(program: &Path, folder: &Path, size: Size, more: &[&str]) -> anyhow::Result<f64> {
    let output = Command::new(program)
        .args(["bench", "run", "--rounds", "1", "--output", "json", "--data"])
        .arg(folder)
        .args(["--documents", &size.documents.to_string()])
        .args(more)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`lienthong bench` failed: {said}");
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    rows[0]["median"]["documents_per_second"].as_f64().context("no figure")
}
