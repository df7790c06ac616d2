//! Volumes per province as one sheet, whatever they come from, and the table that people see.

use lienthong_core::Directory;
use lienthong_core::statistics;
use lienthong_model::{Level, Ordinal, Timestamp};
use serde::Serialize;

use crate::output::{self, percent, thousands};

/// Documents sent and received: provinces, centre, totals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VolumeSheet {
    /// One line a province with traffic, in the order of codes.
    pub provinces: Vec<VolumeLine>,
    /// The central bodies; code and name are empty.
    pub centre: VolumeLine,
    /// The sums over provinces and centre.
    pub totals: Counts,
}

/// The volumes of one province, or of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VolumeLine {
    /// The province's code.
    pub code: String,
    /// The province's name, as the directory has it.
    pub name: String,
    /// All levels together.
    #[serde(flatten)]
    pub counts: Counts,
    /// Each level with traffic.
    pub levels: Vec<LevelLine>,
}

/// Documents of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Documents sent, each counted once.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
    /// Documents sent with a person's signature.
    pub personally_signed: u64,
}

/// Documents of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LevelLine {
    /// The level: `ministry`, `province`, `district`, `commune`.
    #[serde(serialize_with = "level_name")]
    pub level: Level,
    /// Documents sent, each counted once.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
}

fn level_name<S: serde::Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(level.name())
}

impl VolumeSheet {
    /// Makes the sheet of what the hub's own reader returns; names are those of a moment.
    pub fn of_reader(volumes: &statistics::Volumes, directory: &Directory, at: Timestamp) -> Self {
        let line = |(province, volume): (&Ordinal, &statistics::Volume)| {
            let agency = directory.agency(*province);
            VolumeLine {
                code: directory.code(*province, at),
                name: agency.map(|agency| agency.entry(at).name.clone()).unwrap_or_default(),
                ..VolumeLine::of(volume)
            }
        };
        let mut provinces: Vec<VolumeLine> = volumes.provinces.iter().map(line).collect();
        provinces.sort_by(|a, b| a.code.cmp(&b.code));
        Self::add_up(provinces, VolumeLine::of(&volumes.centre))
    }

    /// Makes the sheet of lines; the totals are their sums.
    pub fn add_up(provinces: Vec<VolumeLine>, centre: VolumeLine) -> Self {
        let mut totals = centre.counts;
        for line in &provinces {
            totals.sent += line.counts.sent;
            totals.received += line.counts.received;
            totals.personally_signed += line.counts.personally_signed;
        }
        Self { provinces, centre, totals }
    }
}

impl VolumeLine {
    fn of(volume: &statistics::Volume) -> Self {
        let level = |(level, volume): (&Level, &statistics::LevelVolume)| LevelLine {
            level: *level,
            sent: volume.sent,
            received: volume.received,
        };
        Self {
            code: String::new(),
            name: String::new(),
            counts: Counts {
                sent: volume.sent,
                received: volume.received,
                personally_signed: volume.personally_signed,
            },
            levels: volume.by_level.iter().map(level).collect(),
        }
    }

    fn level(&self, level: Level) -> String {
        match self.levels.iter().find(|line| line.level == level) {
            Some(line) => format!("{}/{}", thousands(line.sent), thousands(line.received)),
            None => "–".to_owned(),
        }
    }
}

impl From<lienthong_client::Volumes> for VolumeSheet {
    fn from(volumes: lienthong_client::Volumes) -> Self {
        let level = |volume: lienthong_client::LevelVolume| LevelLine {
            level: volume.level,
            sent: volume.sent,
            received: volume.received,
        };
        let line = |volume: lienthong_client::ProvinceVolume| VolumeLine {
            code: volume.code.map(|code| code.to_string()).unwrap_or_default(),
            name: volume.name,
            counts: Counts {
                sent: volume.sent,
                received: volume.received,
                personally_signed: volume.personally_signed,
            },
            levels: volume.levels.into_iter().map(level).collect(),
        };
        // The totals are the hub's own: whoever reads the sheet can check them against the lines.
        let totals = Counts {
            sent: volumes.totals.sent,
            received: volumes.totals.received,
            personally_signed: volumes.totals.personally_signed,
        };
        let mut provinces: Vec<VolumeLine> = volumes.provinces.into_iter().map(line).collect();
        provinces.sort_by(|a, b| a.code.cmp(&b.code));
        Self { provinces, centre: line(volumes.centre), totals }
    }
}

/// Stands under the table.
const LEGEND: &str = "\
↑ gửi / sent   ↓ nhận / received   TW: trung ương / the centre
Ký số / pers.: tỷ lệ ký số cá nhân / share of documents sent with a person's signature
";

/// Writes volumes as a table: one line a province, then the centre, then the totals; at most 100
/// columns wide.
pub fn volume_table(sheet: &VolumeSheet) -> String {
    let mut table = output::table([
        "Mã\ncode",
        "Địa phương\nplace",
        "Gửi ↑\nsent",
        "Nhận ↓\nreceived",
        "Ký số\npers.\n%",
        "Cấp tỉnh\nprovince\n↑/↓",
        "Cấp huyện\ndistrict\n↑/↓",
        "Cấp xã\ncommune\n↑/↓",
    ]);
    output::right(&mut table, 2..8);
    output::narrow(&mut table);
    for index in 5..8 {
        // Where there is no room, a line breaks between two numbers, never within one.
        if let Some(column) = table.column_mut(index) {
            column.set_delimiter('/');
        }
    }
    for line in &sheet.provinces {
        let name = short_name(&line.name);
        let [province, district, commune] =
            [Level::Province, Level::District, Level::Commune].map(|level| line.level(level));
        let [sent, received, personal] = counts(line.counts);
        table.add_row([
            line.code.clone(),
            name,
            sent,
            received,
            personal,
            province,
            district,
            commune,
        ]);
    }
    let blank = String::new;
    let [sent, received, personal] = counts(sheet.centre.counts);
    let name = "TW / centre".to_owned();
    table.add_row([blank(), name, sent, received, personal, blank(), blank(), blank()]);
    let [sent, received, personal] = counts(sheet.totals);
    let name = "Cộng / total".to_owned();
    table.add_row([blank(), name, sent, received, personal, blank(), blank(), blank()]);
    output::text_of(&table) + LEGEND
}

fn counts(counts: Counts) -> [String; 3] {
    let personal = percent(counts.personally_signed, counts.sent);
    [thousands(counts.sent), thousands(counts.received), personal]
}

/// A province's name without what all of them have: `Ủy ban nhân dân tỉnh Lâm Đồng` is `Lâm Đồng`.
pub fn short_name(name: &str) -> String {
    let mut short = name;
    for prefix in ["Ủy ban nhân dân ", "tỉnh ", "Tỉnh ", "thành phố ", "Thành phố "] {
        short = short.strip_prefix(prefix).unwrap_or(short);
    }
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> VolumeSheet {
        let line = |code: &str, name: &str, sent| VolumeLine {
            code: code.to_owned(),
            name: name.to_owned(),
            counts: Counts { sent, received: 9_876_543, personally_signed: sent / 2 },
            levels: [Level::Province, Level::District, Level::Commune]
                .map(|level| LevelLine { level, sent: 123_456, received: 234_567 })
                .to_vec(),
        };
        let hue = line("H57", "Ủy ban nhân dân tỉnh Thừa Thiên Huế", 1_234_567);
        let vung_tau = line("H06", "Ủy ban nhân dân tỉnh Bà Rịa - Vũng Tàu", 1_000);
        VolumeSheet::add_up(vec![vung_tau, hue], line("", "", 222))
    }

    #[test]
    fn the_table_fits_100_columns_with_a_countrys_numbers() {
        let text = volume_table(&sheet());
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        }
        assert!(text.contains("Thừa Thiên Huế"), "{text}");
        for number in ["123,456", "234,567", "9,876,543"] {
            assert!(text.matches(number).count() >= 2, "{number} in {text}");
        }
        assert!(text.contains("1,234,567"), "{text}");
    }

    #[test]
    fn provinces_and_centre_add_up_to_the_totals() {
        let sheet = sheet();
        assert_eq!(sheet.totals.sent, 1_234_567 + 1_000 + 222);
        assert_eq!(sheet.totals.received, 3 * 9_876_543);
    }

    #[test]
    fn a_provinces_name_is_shown_without_what_all_have() {
        assert_eq!(short_name("Ủy ban nhân dân thành phố Đà Nẵng"), "Đà Nẵng");
        assert_eq!(short_name("Ủy ban nhân dân Thành phố Hồ Chí Minh"), "Hồ Chí Minh");
        assert_eq!(short_name("Bộ Công an"), "Bộ Công an");
    }
}
