//! The way to the hub, the clocks, and what the directory says of the agency.

use std::time::Duration;

use lienthong_client::{CallError, Client, Endpoint, Retry};
use lienthong_model::limits::CLOCK_AHEAD_MAX;
use lienthong_model::{AgencyCode, AgencyState};

use super::{Finding, both};
use crate::link::Away;

/// A difference of the clocks of which it is said.
const DIFFERENCE_NOTED: Duration = Duration::from_secs(60);
/// How long the hub is tried.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tries the hub; looks at the clocks and at what the directory says of `agency` and of the
/// mailboxes that it shall receive for. Returns the client when there is one.
pub async fn hub(
    endpoint: Endpoint,
    address: &str,
    agency: &AgencyCode,
    mailboxes: &[AgencyCode],
) -> (Vec<Finding>, Option<Client>) {
    let retry = Retry { total: PATIENCE, ..Retry::default() };
    let client = match Client::connect(endpoint.wait_for_hub(Duration::ZERO).retry(retry)).await {
        Ok(client) => client,
        Err(error) => {
            return (vec![network(address, Away::of_connect(&error))], None);
        }
    };
    let found =
        both("the hub answers; both sides trust each other", "trục trả lời; hai bên tin cậy nhau");
    let mut findings = vec![Finding::ok("network", address, found)];
    findings.push(match client.clock_difference().await {
        Ok(Some(ahead_ms)) => clock(ahead_ms),
        Ok(None) => {
            let now = client.now();
            let found = (
                format!("the hub is on a scenario's clock: {now}"),
                format!("trục chạy theo đồng hồ kịch bản: {now}"),
            );
            Finding::ok("clock", "", found)
        }
        Err(error) => call_failed(address, &error),
    });
    findings.push(entry(&client, agency, None).await);
    for mailbox in mailboxes.iter().filter(|code| code.key() != agency.key()) {
        findings.push(entry(&client, mailbox, Some(agency)).await);
    }
    (findings, Some(client))
}

fn network(address: &str, away: Away) -> Finding {
    Finding::problem("network", address, (away.meaning, away.meaning_vi))
        .remedy(away.remedy, away.remedy_vi)
}

fn call_failed(address: &str, error: &CallError) -> Finding {
    let away = match (error.unreachable(), error.refusal()) {
        (Some(unreachable), _) => Away::of(unreachable),
        (None, Some(refusal)) => Away::of_refusal(refusal),
        (None, None) => Away::plain(error),
    };
    network(address, away)
}

/// What a difference of the clocks means.
fn clock(ahead_ms: i64) -> Finding {
    let apart = Duration::from_millis(ahead_ms.unsigned_abs());
    let seconds = apart.as_secs_f64();
    let (en, vi) =
        if ahead_ms < 0 { ("behind", "chậm hơn") } else { ("ahead of", "nhanh hơn") };
    let found = (
        format!("the hub's clock is {seconds:.1} s {en} this machine's"),
        format!("đồng hồ của trục {vi} máy này {seconds:.1} giây"),
    );
    let set = |finding: Finding| {
        finding.remedy(
            "set this machine's clock by a time server (NTP); above 5 minutes nothing is accepted",
            "chỉnh đồng hồ máy này theo máy chủ thời gian (NTP); lệch quá 5 phút thì trục từ chối",
        )
    };
    if apart > CLOCK_AHEAD_MAX {
        set(Finding::problem("clock", "", found))
    } else if apart > DIFFERENCE_NOTED {
        set(Finding::warning("clock", "", found))
    } else {
        Finding::ok("clock", "", found)
    }
}

/// What the directory says of an agency; `gateway`: whose node must serve it.
async fn entry(client: &Client, code: &AgencyCode, gateway: Option<&AgencyCode>) -> Finding {
    let about = code.to_string();
    let entry = match client.agency(code).await {
        Ok(Some(entry)) => entry,
        Ok(None) => {
            let found = both(
                "the hub's directory does not have this agency",
                "danh bạ của trục không có cơ quan này",
            );
            return Finding::problem("directory", about, found).remedy(
                "ask the operator of the axis to enter it; check the code",
                "đề nghị đơn vị vận hành trục bổ sung; kiểm tra mã",
            );
        }
        Err(error) => return call_failed(&about, &error),
    };
    let problem = |found: (String, String)| {
        Finding::problem("directory", about.clone(), found)
            .remedy("ask the operator of the axis", "liên hệ đơn vị vận hành trục")
    };
    if !entry.in_force(client.now()) {
        return problem(both(
            "the agency is not in force today",
            "cơ quan không có hiệu lực hôm nay",
        ));
    }
    if let Some(gateway) = gateway {
        let served = entry.gateway.as_ref().is_some_and(|of| of.key() == gateway.key());
        if !served {
            return problem((
                format!("the directory does not say that {gateway} is its gateway"),
                format!("danh bạ không ghi {gateway} là cổng kết nối của cơ quan này"),
            ));
        }
    }
    match entry.state {
        AgencyState::Connected => {
            let (name, policy) = (&entry.name, entry.policy);
            let found = (
                format!("{name}: connected, signatures: {policy}"),
                format!("{name}: đã kết nối, chữ ký: {policy}"),
            );
            Finding::ok("directory", about, found)
        }
        AgencyState::Held => {
            let found = both(
                "the directory says that the agency is not connected yet",
                "danh bạ ghi cơ quan chưa kết nối",
            );
            Finding::warning("directory", about, found).remedy(
                "ask the operator of the axis to set it to connected",
                "đề nghị đơn vị vận hành trục chuyển sang trạng thái đã kết nối",
            )
        }
        AgencyState::Suspended => {
            problem(both("the agency is suspended", "cơ quan đang bị tạm dừng"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_by_minutes_is_a_problem_and_by_one_a_warning() {
        let grades = [0, -30_000, 61_000, -200_000, 301_000, -400_000].map(|ms| clock(ms).grade);
        let (ok, warning, problem) = (Grade::Ok, Grade::Warning, Grade::Problem);
        assert_eq!(grades, [ok, ok, warning, warning, problem, problem]);
    }
}
