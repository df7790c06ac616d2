//! Measures that take a look at many rows or files: worked out at most every few seconds, however
//! often somebody asks.

use std::collections::BTreeMap;

use lienthong_core::statistics::{Figure, Until};
use lienthong_model::{Level, Refusal, Timestamp};

use super::page::Page;
use crate::http::Pages;
use crate::present::unreadable;

/// The label of what belongs to no province.
const CENTRE: &str = "centre";

pub(super) async fn write(pages: &Pages, page: &mut Page) -> Result<(), Refusal> {
    mailboxes(pages, page).await?;
    arrivals(pages, page).await?;
    disk(pages, page).await?;
    certificates(pages, page).await?;
    lists(pages, page);
    Ok(())
}

async fn mailboxes(pages: &Pages, page: &mut Page) -> Result<(), Refusal> {
    let (directory, now) = (pages.0.reader.directory(), pages.0.clock.now());
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    let mut places: BTreeMap<(String, &'static str), u64> = BTreeMap::new();
    for backlog in backlogs.iter() {
        let Some(agency) = directory.agency(backlog.agency) else { continue };
        let place = directory.place(agency, now);
        let province = place.province.map_or(CENTRE.to_owned(), |one| directory.code(one, now));
        *places.entry((province, place.level.name())).or_default() += backlog.waiting;
    }
    let name = "lienthong_mailbox_documents";
    page.gauge(name, "Documents that their recipients have not picked up.");
    for ((province, level), count) in &places {
        page.labelled(name, &[("province", province), ("level", level)], count);
    }
    let oldest = backlogs.iter().map(|one| one.oldest).min();
    let document = oldest.map(|position| pages.0.reader.query().document(position));
    let document = document.transpose().map_err(|error| unreadable(&error))?.flatten();
    let name = "lienthong_mailbox_oldest_seconds";
    page.gauge(name, "For how long the oldest of them has waited, in business time.");
    let since = document.map_or(now, |document| document.received_at);
    page.value(name, format!("{:.3}", (now.millis() - since.millis()).max(0) as f64 / 1000.0));
    Ok(())
}

/// From being on the hub's disk until being on the recipient's, as the statistics have it: in
/// business time, and without a sum.
async fn arrivals(pages: &Pages, page: &mut Page) -> Result<(), Refusal> {
    let counts = pages.0.survey.arrivals(&pages.0.reader).await?;
    let name = "lienthong_durable_to_delivered_seconds";
    page.begin(name, "histogram", "From the hub's disk to the recipient's, in business time.");
    for level in Level::ALL {
        let mut arrived = 0;
        for (figure, bound) in Figure::bounded_buckets(Until::Arrived) {
            arrived += counts.get(&(level, figure)).copied().unwrap_or(0);
            let end = bound.map_or("+Inf".to_owned(), |bound| bound.as_secs().to_string());
            let labels = [("level", level.name()), ("le", end.as_str())];
            page.labelled(&format!("{name}_bucket"), &labels, arrived);
        }
        page.labelled(&format!("{name}_count"), &[("level", level.name())], arrived);
    }
    Ok(())
}

async fn disk(pages: &Pages, page: &mut Page) -> Result<(), Refusal> {
    let name = "lienthong_disk_bytes";
    page.gauge(name, "Bytes of the data folder, by part.");
    for (part, bytes) in pages.0.survey.sizes(&pages.0.folder).await?.iter() {
        page.labelled(name, &[("part", part)], bytes);
    }
    Ok(())
}

async fn certificates(pages: &Pages, page: &mut Page) -> Result<(), Refusal> {
    let now = pages.0.clock.now();
    let all = pages.0.survey.certificates(&pages.0.reader, &pages.0.meters.connections).await?;
    let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut expired: BTreeMap<&str, u64> = BTreeMap::new();
    for one in all.iter() {
        let counted = expired.entry(one.kind).or_default();
        if one.until <= now {
            *counted += 1;
        } else {
            first.entry(one.kind).or_insert(one.until);
        }
    }
    let name = "lienthong_certificate_first_expiry_seconds";
    page.gauge(name, "Business time left to the first certificate in use that expires, by kind.");
    for (kind, until) in first {
        let left = (until.millis() - now.millis()) as f64 / 1000.0;
        page.labelled(name, &[("kind", kind)], format!("{left:.0}"));
    }
    let name = "lienthong_certificates_expired";
    page.gauge(name, "Certificates that were in use, have expired and have no successor, by kind.");
    for (kind, count) in expired {
        page.labelled(name, &[("kind", kind)], count);
    }
    Ok(())
}

fn lists(pages: &Pages, page: &mut Page) {
    let now = pages.0.clock.now();
    let trust = pages.0.reader.trust();
    let names = ["lienthong_revocation_list_age_seconds", "lienthong_revocation_list_left_seconds"];
    let helps = [
        "Age of the revocation list in force, by authority.",
        "Business time left until it is due; below zero it is late.",
    ];
    for (name, help) in names.into_iter().zip(helps) {
        page.gauge(name, help);
        for list in trust.lists() {
            let issuer = trust.authorities().iter().find(|one| *one.authority() == list.authority);
            let authority = issuer.map(|one| one.subject().to_string()).unwrap_or_default();
            let millis = match name == names[0] {
                true => Some(now.millis() - list.this_update.millis()),
                false => list.next_update.map(|due| due.millis() - now.millis()),
            };
            if let Some(millis) = millis {
                let seconds = format!("{:.0}", millis as f64 / 1000.0);
                page.labelled(name, &[("authority", &authority)], seconds);
            }
        }
    }
}
