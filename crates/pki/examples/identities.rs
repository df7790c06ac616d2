//! Measures what an identity of the test PKI costs: `cargo run --release --example identities`.

use std::time::Instant;

use lienthong_model::{AgencyCode, Timestamp};
use lienthong_pki::{Profile, TestPki, Validity};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let day = |text| Timestamp::parse(text).ok_or("not a date");
    let validity = Validity { not_before: day("2020-01-01")?, not_after: day("2035-12-31")? };
    let pki = TestPki::new([7; 32], validity)?;
    let agencies = 5_000;
    let begun = Instant::now();
    for number in 0..agencies {
        let agency = AgencyCode::parse(&format!("H36.{number}"))?;
        pki.node(&agency)?;
        pki.seal(&agency)?;
        let (person, name, title) = ("chief".into(), "Nguyễn Văn An".into(), "Chủ tịch".into());
        pki.identity(&Profile::Person { agency, person, name, title })?;
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / f64::from(agencies * 3);
    println!("{each:.1} µs an identity");
    Ok(())
}
