//! The report as one page of HTML: no script, nothing from elsewhere, prints on A4.

use std::fmt::Write as _;

use lienthong_model::Indicator;

use super::view::{
    FigureView, HolderView, PlaceView, ReportView, TargetView, of_how_many, shown, state_text,
};
use crate::output::escaped;
use crate::tables::short_name;

const STYLE: &str = "\
@page { size: A4; margin: 16mm 14mm }
:root { color-scheme: light }
* { box-sizing: border-box }
body { font: 10.5pt/1.4 'Noto Serif', 'Liberation Serif', 'Times New Roman', serif; color: #1a1a1a;
  background: #fff; margin: 0 auto; max-width: 190mm; padding: 8mm 4mm }
h1 { font-size: 17pt; line-height: 1.25; margin: 0 0 1mm }
h2 { font-size: 12.5pt; margin: 8mm 0 2mm; break-after: avoid }
.en { color: #5a5a5a; font-style: italic; font-weight: normal }
h1 .en { display: block; font-size: 12pt }
.meta { margin: 0 0 5mm; padding-bottom: 3mm; border-bottom: 2px solid #8a1c1c; font-size: 9.5pt }
table { border-collapse: collapse; width: 100%; font-size: 9pt }
th, td { border-bottom: 1px solid #cfcfcf; padding: 1.4mm 1.6mm; vertical-align: top; text-align: left }
th { border-bottom: 1.5px solid #333; font-size: 8.5pt; line-height: 1.25 }
th .en { display: block }
td .en, td small { display: block; font-size: 8pt; color: #5a5a5a }
tr { break-inside: avoid }
thead { display: table-header-group }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.met, .on-course, .late { font-weight: bold; white-space: nowrap }
.met { color: #17613a } .on-course { color: #1d4f91 } .late { color: #a11919 }
.narrow { font-size: 8pt }
.narrow td, .narrow th { padding: 1mm }
.even { table-layout: fixed } .even th:first-child { width: 34% }
td.n small { white-space: nowrap }
.idle { font-size: 9pt; margin: 2mm 0 0 } .idle .en { font-size: 8.5pt }
footer { margin-top: 8mm; border-top: 1px solid #cfcfcf; padding-top: 2mm; font-size: 8pt;
  color: #5a5a5a }
@media print { body { padding: 0; max-width: none } }
";

/// Writes the page.
pub(super) fn page(report: &ReportView) -> String {
    let first = report.places.first();
    let [vi, en] = first.map(PlaceView::title).unwrap_or_default();
    let (from, until) = (day(&report.from), day(&report.until));
    let made_at = report.made_at.get(..16).unwrap_or(&report.made_at).replace('T', " ");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} {from} – {until}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Tình hình gửi, nhận và xử lý văn bản điện tử: {title}\
         <span class=\"en\">Exchange and handling of electronic documents: {en}</span></h1>\n\
         <p class=\"meta\">Kỳ báo cáo: từ {from} đến trước {until} · số liệu đến {made_at}<br>\
         <span class=\"en\">Period: from {from} until before {until} · figures as of {made_at}\
         </span></p>\n",
        title = escaped(&vi),
        en = escaped(&en),
        made_at = escaped(&made_at),
    );
    match (report.province.is_none(), report.places.split_first()) {
        (true, Some((country, places))) => {
            section(&mut page, country);
            provinces(&mut page, places);
            let title = ("Mục tiêu của các địa phương, các cấp", "Targets of provinces and levels");
            targets(&mut page, places, title);
        }
        (_, places) => {
            levels(&mut page, &report.places);
            if places.is_some() {
                targets(&mut page, &report.places, ("Mục tiêu", "Targets"));
            }
        }
    }
    let price = report.page_price;
    page += &format!(
        "<footer>Mục tiêu: <b>đạt</b>; <b>đúng tiến độ</b>: chưa đến hạn, và sẽ đạt nếu tiếp tục \
         như từ kỳ trước đến kỳ này; <b>chậm</b>: đã quá hạn, hoặc sẽ quá hạn. Giấy tính {price} đ \
         một trang.<br><span class=\"en\">Targets: met; on course: not due yet, and reached if things \
         go on as from the period before to this one; late: past its day, or will be. A page of paper \
         at {price} đ.</span></footer>\n</body>\n</html>\n"
    );
    page
}

/// Every indicator of a place on a line, with its targets.
fn section(page: &mut String, place: &PlaceView) {
    *page += "<table>\n<thead><tr><th>Chỉ tiêu<span class=\"en\">indicator</span></th>\
              <th class=\"n\">Kỳ này<span class=\"en\">this period</span></th>\
              <th class=\"n\">Kỳ trước<span class=\"en\">before</span></th>\
              <th class=\"n\">Mục tiêu<span class=\"en\">target</span></th>\
              <th>Tình trạng<span class=\"en\">state</span></th>\
              <th>Còn chậm<span class=\"en\">held back by</span></th></tr></thead>\n<tbody>\n";
    for figure in &place.figures {
        match figure.targets.as_slice() {
            [] => row(page, figure, None, true),
            targets => {
                for (target, index) in targets.iter().zip(0..) {
                    row(page, figure, Some(target), index == 0);
                }
            }
        }
    }
    *page += "</tbody>\n</table>\n";
}

fn row(page: &mut String, figure: &FigureView, target: Option<&TargetView>, first: bool) {
    let indicator = figure.indicator;
    let (name, now, before) = match first {
        true => (
            format!("{}<span class=\"en\">{}</span>", indicator.name_vi(), indicator.name_en()),
            format!(
                "{}<small>{}</small>",
                shown(indicator, figure.share.value),
                of_how_many(indicator, figure.share)
            ),
            shown(indicator, figure.before.value),
        ),
        false => (String::new(), String::new(), String::new()),
    };
    let [wanted, state, holders] =
        target.map_or_else(Default::default, |target| told(indicator, target));
    let _ = writeln!(
        page,
        "<tr><td>{name}</td><td class=\"n\">{now}</td><td class=\"n\">{before}</td>\
         <td class=\"n\">{wanted}</td><td>{state}</td><td>{holders}</td></tr>"
    );
}

/// What is wanted by when, where it stands, and who holds it back.
fn told(indicator: Indicator, target: &TargetView) -> [String; 3] {
    let value = target.value.and_then(|value| i64::try_from(value).ok());
    let wanted = format!("{}<small>{}</small>", shown(indicator, value), escaped(&target.by));
    let [vi, en] = state_text(target.state);
    let state =
        format!("<span class=\"{}\">{vi}</span><span class=\"en\">{en}</span>", target.state);
    let holders: Vec<String> = target.holders.iter().map(|one| holder(indicator, one)).collect();
    [wanted, state, holders.join("<br>")]
}

fn holder(indicator: Indicator, one: &HolderView) -> String {
    let name = escaped(&short_name(&one.name));
    format!("{name} ({}): {}", escaped(&one.code), shown(indicator, one.share.value))
}

/// Every indicator on a line, the province and its levels side by side.
fn levels(page: &mut String, places: &[PlaceView]) {
    *page +=
        "<table class=\"even\">\n<thead><tr><th>Chỉ tiêu<span class=\"en\">indicator</span></th>";
    for place in places {
        let [vi, en] = match (place.level_vi, place.level) {
            (Some(vi), Some(en)) => [format!("Cấp {vi}"), format!("{en} level")],
            _ => ["Toàn tỉnh".to_owned(), "the province".to_owned()],
        };
        let _ = write!(page, "<th class=\"n\">{vi}<span class=\"en\">{en}</span></th>");
    }
    *page += "</tr></thead>\n<tbody>\n";
    let indicators = places.first().map_or(&[][..], |place| &place.figures);
    for FigureView { indicator, .. } in indicators {
        let name =
            format!("{}<span class=\"en\">{}</span>", indicator.name_vi(), indicator.name_en());
        let _ = write!(page, "<tr><td>{name}</td>");
        for place in places {
            let found = place.figures.iter().find(|figure| figure.indicator == *indicator);
            let _ = write!(page, "<td class=\"n\">{}</td>", found.map_or_else(String::new, cell));
        }
        *page += "</tr>\n";
    }
    *page += "</tbody>\n</table>\n";
}

/// A value, what it is reckoned from, and what it was before.
fn cell(figure: &FigureView) -> String {
    let FigureView { indicator, share, before, .. } = figure;
    let was = match before.value {
        None => String::new(),
        was => format!("<small>trước / before {}</small>", shown(*indicator, was)),
    };
    let now = shown(*indicator, share.value);
    format!("{now}<small>{}</small>{was}", of_how_many(*indicator, *share))
}

/// Every target of some places, late ones first, with who holds it back.
fn targets(page: &mut String, places: &[PlaceView], (vi, en): (&str, &str)) {
    let mut all: Vec<(&PlaceView, &FigureView, &TargetView)> = Vec::new();
    for place in places {
        for figure in &place.figures {
            all.extend(figure.targets.iter().map(|target| (place, figure, target)));
        }
    }
    if all.is_empty() {
        return;
    }
    let order = |state: &str| ["late", "on-course", "met"].iter().position(|one| *one == state);
    all.sort_by_key(|(_, _, target)| order(target.state));
    let _ = writeln!(page, "<h2>{vi} <span class=\"en\">{en}</span></h2>");
    *page += "<table>\n<thead><tr><th>Nơi<span class=\"en\">place</span></th>\
              <th>Chỉ tiêu<span class=\"en\">indicator</span></th>\
              <th class=\"n\">Kỳ này<span class=\"en\">this period</span></th>\
              <th class=\"n\">Mục tiêu<span class=\"en\">target</span></th>\
              <th>Tình trạng<span class=\"en\">state</span></th>\
              <th>Còn chậm<span class=\"en\">held back by</span></th></tr></thead>\n<tbody>\n";
    for (place, figure, target) in all {
        let [place_vi, place_en] = place.title();
        let place_en = if place_vi == place_en { String::new() } else { escaped(&place_en) };
        let indicator = figure.indicator;
        let [wanted, state, holders] = told(indicator, target);
        let _ = writeln!(
            page,
            "<tr><td>{}<span class=\"en\">{place_en}</span></td>\
             <td>{}<span class=\"en\">{}</span></td>\
             <td class=\"n\">{}<small>{}</small></td><td class=\"n\">{wanted}</td>\
             <td>{state}</td><td>{holders}</td></tr>",
            escaped(&place_vi),
            indicator.name_vi(),
            indicator.name_en(),
            shown(indicator, figure.share.value),
            of_how_many(indicator, figure.share),
        );
    }
    *page += "</tbody>\n</table>\n";
}

/// Every province that took part on one line: its shares; the others by their names.
fn provinces(page: &mut String, places: &[PlaceView]) {
    const SHOWN: [(Indicator, &str, &str); 7] = [
        (Indicator::ElectronicInside, "Trong tỉnh điện tử", "electronic inside"),
        (Indicator::PersonalSignature, "Ký số cá nhân", "personal signature"),
        (Indicator::LevelsConnected, "Số cấp", "levels"),
        (Indicator::AgenciesConnected, "Cơ quan gửi, nhận", "agencies"),
        (Indicator::Processed, "Xử lý điện tử", "processed"),
        (Indicator::OnTime, "Đúng hạn", "on time"),
        (Indicator::Growth, "So với năm trước", "growth"),
    ];
    *page += "<h2>Các địa phương <span class=\"en\">Provinces and the centre</span></h2>\n\
              <table class=\"narrow\">\n<thead><tr><th>Địa phương<span class=\"en\">place</span></th>";
    for (_, vi, en) in SHOWN {
        let _ = write!(page, "<th class=\"n\">{vi}<span class=\"en\">{en}</span></th>");
    }
    *page += "</tr></thead>\n<tbody>\n";
    let (active, idle): (Vec<_>, Vec<_>) = places
        .iter()
        .filter(|place| place.level.is_none())
        .partition(|place| place.figures.iter().any(|figure| figure.share.numerator > 0));
    for place in active {
        let [name, _] = place.title();
        let _ = write!(page, "<tr><td>{} {}</td>", escaped(&place.code), escaped(&name));
        for (indicator, _, _) in SHOWN {
            let found = place.figures.iter().find(|figure| figure.indicator == indicator);
            let value = found.and_then(|figure| figure.share.value);
            let _ = write!(page, "<td class=\"n\">{}</td>", shown(indicator, value));
        }
        *page += "</tr>\n";
    }
    *page += "</tbody>\n</table>\n";
    if !idle.is_empty() {
        let names: Vec<String> = idle.iter().map(|place| escaped(&place.title()[0])).collect();
        let (count, names) = (names.len(), names.join(", "));
        let _ = writeln!(
            page,
            "<p class=\"idle\">{count} nơi chưa gửi, nhận văn bản trong kỳ <span class=\"en\">places \
             without documents in the period</span>: {names}.</p>"
        );
    }
}

fn day(moment: &str) -> String {
    escaped(moment.get(..10).unwrap_or(moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::report::view::ShareView;

    #[test]
    fn names_from_outside_are_text_and_nothing_is_loaded_from_elsewhere() {
        let share = ShareView { numerator: 1, denominator: 3, value: Some(333) };
        let hostile = "<script>alert(1)</script>\"&".to_owned();
        let holder = HolderView { code: "H36.01".to_owned(), name: hostile.clone(), share };
        let target = TargetView {
            value: Some(900),
            by: "2020-11-30".to_owned(),
            state: "late",
            holders: vec![holder],
        };
        let indicator = Indicator::PersonalSignature;
        let figure = FigureView { indicator, share, before: share, targets: vec![target] };
        let place = PlaceView {
            code: "H36".to_owned(),
            name: hostile,
            level: None,
            level_vi: None,
            figures: vec![figure],
        };
        let report = ReportView {
            province: Some("H36".to_owned()),
            from: "2020-11-01T00:00:00+07:00".to_owned(),
            until: "2020-12-01T00:00:00+07:00".to_owned(),
            made_at: "2020-11-16T08:00:00+07:00".to_owned(),
            page_price: 500,
            places: vec![place],
        };
        let page = page(&report);
        assert!(!page.contains("<script") && !page.contains("http"), "{page}");
        for text in ["33.3 %", "90.0 %", "2020-11-30", "chậm", "H36.01", "&lt;script&gt;"] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }
}
