//! The ten cases: what is sent, and what the hub must have recorded after it.

use std::time::Duration;

use lienthong_client::{Signer, TrackedDelivery};
use lienthong_model::StatusCode;
use unicode_normalization::UnicodeNormalization as _;

use super::examiner::Sent;
use super::papers::Paper;
use super::{Case, ConformanceError, Examination};
use crate::live::Mode;
use crate::verdict::Check;

/// Documents that come at once.
const BURST: usize = 20;
/// How often a case whose moment was missed is tried again.
const TRIES: usize = 3;
/// How long a line is deaf: longer than the proxy lets a connection live then.
const DEAF: Duration = Duration::from_secs(3);
/// How long the system has to connect again after a line was closed, and to do what it must not.
const SETTLE: Duration = Duration::from_secs(3);

type Judged = Result<Check, ConformanceError>;

/// The outcome of a case.
fn outcome(case: Case, wanted: &str, broken: Vec<String>, found: String) -> Check {
    Check {
        name: case.name.to_owned(),
        passed: broken.is_empty(),
        wanted: wanted.to_owned(),
        found,
        documents: broken,
    }
}

fn acknowledged(delivery: &TrackedDelivery) -> bool {
    delivery.acknowledged_at.is_some()
}

fn has(delivery: &TrackedDelivery, code: StatusCode) -> bool {
    delivery.statuses.iter().any(|line| line.code == code)
}

fn count(delivery: &TrackedDelivery, code: StatusCode) -> usize {
    delivery.statuses.iter().filter(|line| line.code == code).count()
}

/// What was reported, for people: `03 05 06`.
fn codes(delivery: &TrackedDelivery) -> String {
    let codes: Vec<String> = delivery.statuses.iter().map(|line| line.code.to_string()).collect();
    if codes.is_empty() { "–".to_owned() } else { codes.join(" ") }
}

/// A record, for people.
fn shown(delivery: &TrackedDelivery) -> String {
    let taken = match (&delivery.acknowledged_at, &delivery.negative) {
        (Some(at), _) => format!("đã xác nhận / acknowledged {at}"),
        (None, Some(negative)) => format!("từ chối nhận / negative: {}", negative.last_reason),
        (None, None) => "chưa xác nhận / not acknowledged".to_owned(),
    };
    format!("{taken}; {}", codes(delivery))
}

impl Examination {
    pub(super) async fn examine(&self, case: Case) -> Judged {
        match case.name {
            "receive" => {
                self.taken(
                    case,
                    vec![self.with_files("nhận", &["Công văn.pdf", "Bảng số liệu.xlsx"])],
                )
                .await
            }
            "verify" => self.verify(case).await,
            "refuse-bad-signature" => self.refuse_bad_signature(case).await,
            "acknowledge" => self.acknowledge(case).await,
            "report-in-order" => self.report_in_order(case).await,
            "duplicate" => self.duplicate(case).await,
            "recall-before-pick-up" => self.recall_before(case).await,
            "recall-after-pick-up" => self.recall_after(case).await,
            "fields" => self.taken(case, vec![self.all_fields(), self.mandatory_only()]).await,
            // The list has no other.
            _ => self.taken(case, self.normal_forms()).await,
        }
    }

    fn person(&self) -> [&Signer; 1] {
        [&self.examiner.person]
    }

    /// Every document is acknowledged, and none refused.
    async fn taken(&self, case: Case, papers: Vec<Paper>) -> Judged {
        let mut sent = Vec::new();
        for paper in papers {
            let subject = paper.0.subject.clone();
            sent.push((self.send(paper, &self.person()).await?, subject));
        }
        self.all_taken(case, &sent).await
    }

    async fn verify(&self, case: Case) -> Judged {
        let signers = [&self.examiner.person, &self.examiner.seal];
        let paper = self.with_files("kiểm tra chữ ký", &["Quyết định.pdf"]);
        let subject = paper.0.subject.clone();
        let sent = self.send(paper, &signers).await?;
        self.all_taken(case, &[(sent, subject)]).await
    }

    async fn all_taken(&self, case: Case, sent: &[(Sent, String)]) -> Judged {
        for (sent, _) in sent {
            self.until(sent, acknowledged).await?;
        }
        // A refusal comes after the acknowledgement.
        tokio::time::sleep(SETTLE).await;
        let (mut broken, mut found) = (Vec::new(), String::new());
        for (sent, subject) in sent {
            let delivery = self.delivery(sent).await?;
            found = shown(&delivery);
            if !acknowledged(&delivery) || has(&delivery, StatusCode::Refused) {
                broken.push(format!("{} ({subject:?}): {found}", sent.id));
            }
        }
        let wanted = "đã xác nhận, không từ chối / acknowledged and not refused";
        Ok(outcome(case, wanted, broken, found))
    }

    /// Whoever takes in what it cannot verify would acknowledge it before the one that follows. One
    /// that keeps it apart and refuses it with 02 is right too.
    async fn refuse_bad_signature(&self, case: Case) -> Judged {
        let bad = self.send(self.paper("chữ ký không tin cậy"), &[&self.examiner.stranger]).await?;
        let good = self.send(self.paper("chữ ký tin cậy, gửi sau"), &self.person()).await?;
        let (after, alive) = self.until(&good, acknowledged).await?;
        tokio::time::sleep(SETTLE).await;
        let delivery = self.delivery(&bad).await?;
        let refused = has(&delivery, StatusCode::Refused);
        let taken = acknowledged(&delivery) || !delivery.statuses.is_empty();
        let mut broken = Vec::new();
        if taken && !refused {
            broken.push(format!("{}: {}", bad.id, shown(&delivery)));
        }
        if !alive {
            broken.push(format!("{} (đúng / good): {}", good.id, shown(&after)));
        }
        let wanted = "không xác nhận, hoặc 02; văn bản sau vẫn nhận / not acknowledged, or 02; the next one is";
        Ok(outcome(case, wanted, broken, shown(&delivery)))
    }

    /// What is acknowledged never comes again: whoever has not kept it can do nothing with it.
    async fn acknowledge(&self, case: Case) -> Judged {
        let mut sent = Vec::new();
        for number in 1..=BURST {
            let paper = self.with_files(&format!("cùng lúc {number}/{BURST}"), &["Nội dung.txt"]);
            sent.push(self.send(paper, &self.person()).await?);
        }
        let mut broken = Vec::new();
        for one in &sent {
            let registered = |delivery: &TrackedDelivery| has(delivery, StatusCode::Accepted);
            let (delivery, fine) = self.until(one, registered).await?;
            if !fine || !acknowledged(&delivery) {
                broken.push(format!("{}: {}", one.id, shown(&delivery)));
                // One is enough to know: the others are not waited for as long.
                break;
            }
        }
        let found = match broken.first() {
            None => format!("{BURST} / {BURST}"),
            Some(first) => first.clone(),
        };
        Ok(outcome(case, "20 xác nhận và 03 / acknowledged and 03", broken, found))
    }

    async fn report_in_order(&self, case: Case) -> Judged {
        let sent = self.send(self.paper("báo trạng thái"), &self.person()).await?;
        let finished = |delivery: &TrackedDelivery| has(delivery, StatusCode::Finished);
        let (delivery, ended) = self.until(&sent, finished).await?;
        let order: Vec<StatusCode> = delivery.statuses.iter().map(|line| line.code).collect();
        let at = |code| order.iter().position(|one| *one == code);
        let processed = at(StatusCode::Processing).or(at(StatusCode::Assigned));
        let in_order = match (at(StatusCode::Accepted), processed, at(StatusCode::Finished)) {
            (Some(accepted), Some(processed), Some(finished)) => {
                accepted < processed && processed < finished
            }
            _ => false,
        };
        let found = codes(&delivery);
        let fine = ended && in_order;
        let broken =
            if fine { Vec::new() } else { vec![format!("{}: {}", sent.id, shown(&delivery))] };
        Ok(outcome(case, "03, 04|05, 06", broken, found))
    }

    /// The line lets the document through and loses what the system says to it, then breaks: the hub
    /// delivers again, unless the system tries its acknowledgement again first.
    async fn duplicate(&self, case: Case) -> Judged {
        let (mut found, mut broken) = (String::new(), Vec::new());
        for _ in 0..TRIES {
            (self.line)(Mode::LoseRequests)?;
            let sent = self.send(self.paper("phát hai lần"), &self.person()).await?;
            tokio::time::sleep(DEAF).await;
            (self.line)(Mode::Open)?;
            let registered = |delivery: &TrackedDelivery| has(delivery, StatusCode::Accepted);
            let (delivery, fine) = self.until(&sent, registered).await?;
            let once =
                fine && acknowledged(&delivery) && count(&delivery, StatusCode::Accepted) == 1;
            found = format!("phát / delivered ×{}; {}", delivery.attempts, shown(&delivery));
            if !once || has(&delivery, StatusCode::Refused) {
                broken.push(format!("{}: {found}", sent.id));
                break;
            }
            if delivery.attempts > 1 {
                break;
            }
            // Its acknowledgement came through before the hub delivered again: nothing is wrong with
            // that, but whoever reads the statement must know what it does not show.
            found += "; không phát lại lần nào / never delivered again";
        }
        let wanted = "xác nhận, đúng một 03 / acknowledged, 03 exactly once";
        Ok(outcome(case, wanted, broken, found))
    }

    async fn recall_before(&self, case: Case) -> Judged {
        (self.line)(Mode::Closed)?;
        let sent = self.send(self.paper("lấy lại trước khi nhận"), &self.person()).await?;
        self.recall(&sent).await?;
        (self.line)(Mode::Open)?;
        let next = self.send(self.paper("gửi sau khi lấy lại"), &self.person()).await?;
        let (after, alive) = self.until(&next, acknowledged).await?;
        tokio::time::sleep(SETTLE).await;
        let delivery = self.delivery(&sent).await?;
        let mut broken = Vec::new();
        let worked_on = delivery.statuses.iter().any(|line| line.code.by_recipient());
        if acknowledged(&delivery) || worked_on || delivery.mark.is_none() {
            broken.push(format!("{}: {}", sent.id, shown(&delivery)));
        }
        if !alive {
            broken.push(format!("{} (gửi sau / sent after): {}", next.id, shown(&after)));
        }
        let wanted = "không có gì trên văn bản đã lấy lại; văn bản sau vẫn nhận / nothing on it; the next one is taken";
        Ok(outcome(case, wanted, broken, shown(&delivery)))
    }

    /// A system that is done with it before it can be asked is given another one.
    async fn recall_after(&self, case: Case) -> Judged {
        let mut last = (String::new(), false);
        for _ in 0..TRIES {
            let sent = self.send(self.paper("lấy lại sau khi nhận"), &self.person()).await?;
            let (delivery, taken) = self.until(&sent, acknowledged).await?;
            last = (format!("{}: {}", sent.id, shown(&delivery)), false);
            if !taken {
                break;
            }
            match self.recall(&sent).await {
                Err(ConformanceError::Call(error)) if error.refusal().is_some() => continue,
                asked => asked?,
            }
            if let Some(judged) = self.answered(&sent).await? {
                last = judged;
                break;
            }
        }
        let (found, fine) = last;
        let broken = if fine { Vec::new() } else { vec![found.clone()] };
        Ok(outcome(case, "15 hoặc / or 16", broken, found))
    }

    /// Whether a recall was answered; `None` when the system had finished before it was asked.
    async fn answered(&self, sent: &Sent) -> Result<Option<(String, bool)>, ConformanceError> {
        let answer = |delivery: &TrackedDelivery| {
            has(delivery, StatusCode::ChangeAgreed) || has(delivery, StatusCode::ChangeRefused)
        };
        let was_asked = self.delivery(sent).await?.asked.is_some();
        let (delivery, answered) =
            self.until(sent, |one| answer(one) || has(one, StatusCode::Finished)).await?;
        if !answer(&delivery) && !was_asked {
            return Ok(None);
        }
        Ok(Some((format!("{}: {}", sent.id, shown(&delivery)), answered && answer(&delivery))))
    }

    /// Subject and attachment names composed (NFC, NFKC), decomposed (NFD, NFKD), and mixed.
    fn normal_forms(&self) -> Vec<Paper> {
        let text = "Về việc hỗ trợ người dân vùng lũ ở huyện Đạ Tẻh, ½ số hộ";
        let name = "Danh sách hộ được hỗ trợ.txt";
        let mixed = |text: &str| -> String {
            let turn = |(index, c): (usize, char)| -> String {
                let one = std::iter::once(c);
                if index % 2 == 0 { one.nfd().collect() } else { one.nfc().collect() }
            };
            text.nfc().enumerate().map(turn).collect()
        };
        let forms: [(&str, String, String); 5] = [
            ("NFC", text.nfc().collect(), name.nfc().collect()),
            ("NFD", text.nfd().collect(), name.nfd().collect()),
            ("NFKC", text.nfkc().collect(), name.nfkc().collect()),
            ("NFKD", text.nfkd().collect(), name.nfkd().collect()),
            ("NFC+NFD", mixed(text), mixed(name)),
        ];
        let paper = |(form, subject, name): (&str, String, String)| {
            let (document, attachments) = self.with_files(form, &[&name]);
            (
                lienthong_model::Document { subject: format!("{form}: {subject}"), ..document },
                attachments,
            )
        };
        forms.into_iter().map(paper).collect()
    }
}
