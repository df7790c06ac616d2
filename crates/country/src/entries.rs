//! The country's directory: 28 central bodies, and per province its people's committee, its
//! departments, its districts and their communes, with generated codes.

use std::collections::{BTreeMap, HashSet};

use lienthong_model::{AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy};

use crate::names::inside;
use crate::province::{Province, provinces};
use crate::rows::{self, CommuneRow, DataError, DistrictRow};

#[cfg(test)]
mod tests;

/// The departments that every province has (Decrees 24/2014/NĐ-CP and 107/2020/NĐ-CP), in the
/// order of their generated codes `.01` to `.17`; the province's name follows.
pub const DEPARTMENTS: [&str; 17] = [
    "Văn phòng Ủy ban nhân dân",
    "Sở Nội vụ",
    "Sở Tư pháp",
    "Sở Kế hoạch và Đầu tư",
    "Sở Tài chính",
    "Sở Công Thương",
    "Sở Nông nghiệp và Phát triển nông thôn",
    "Sở Giao thông vận tải",
    "Sở Xây dựng",
    "Sở Tài nguyên và Môi trường",
    "Sở Thông tin và Truyền thông",
    "Sở Lao động - Thương binh và Xã hội",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Khoa học và Công nghệ",
    "Sở Giáo dục và Đào tạo",
    "Sở Y tế",
    "Thanh tra",
];

/// 2019-03-12 in days since 1970-01-01.
const FIRST_DAY: Day = Day(17_967);

/// Returns the day from which every shipped entry is in force: 2019-03-12, the axis' first day.
pub const fn first_day() -> Day {
    FIRST_DAY
}

/// Returns the whole country, 12,466 entries: the central bodies, then province by province the
/// people's committee, its departments, and each district followed by its communes. A superior
/// stands before its subordinates, and the order is the same every time.
///
/// Every entry is in force from [`first_day`] without an end, connected, by its own node, and
/// needs a person's signature. Codes of departments, districts and communes are generated:
/// `H36.01` to `H36.17` the departments in the order of [`DEPARTMENTS`], from `H36.18` the
/// districts and `H36.18.01`.. their communes, both in the order of the General Statistics
/// Office.
///
/// # Errors
/// [`DataError`] only when a compiled-in list was changed to something that is none.
pub fn entries() -> Result<Vec<AgencyEntry>, DataError> {
    let provinces = provinces()?;
    let communes = communes_of_districts()?;
    let districts = districts_of_provinces(&provinces, &communes)?;
    let mut entries = central_bodies()?;
    for province in &provinces {
        let territory = inside(&province.name_with_type);
        let name = format!("Ủy ban nhân dân {territory}");
        let mut committee = entry(province.code.clone(), name, Level::Province);
        committee.province = Some(province.code.clone());
        entries.push(committee);
        departments(province, &territory, &mut entries)?;
        for (row, number) in districts.of(&province.gso_code).zip(DEPARTMENTS.len() + 1..) {
            district(province, &territory, row, number, &communes, &mut entries)?;
        }
    }
    Ok(entries)
}

/// Rows by the code of the superior unit, in the order of their file.
struct Grouped<R>(BTreeMap<String, Vec<R>>);

impl<R> Grouped<R> {
    fn by(rows: Vec<R>, superior: impl Fn(&R) -> &str) -> Self {
        let mut groups: BTreeMap<String, Vec<R>> = BTreeMap::new();
        for row in rows {
            groups.entry(superior(&row).to_owned()).or_default().push(row);
        }
        Self(groups)
    }

    fn of(&self, superior: &str) -> impl Iterator<Item = &R> {
        self.0.get(superior).into_iter().flatten()
    }
}

fn communes_of_districts() -> Result<Grouped<CommuneRow>, DataError> {
    Ok(Grouped::by(rows::communes()?, |row| &row.district_gso_code))
}

/// Groups the districts, and checks that no district lies outside the provinces and no commune
/// outside the districts: such a row would be lost in silence.
fn districts_of_provinces(
    provinces: &[Province],
    communes: &Grouped<CommuneRow>,
) -> Result<Grouped<DistrictRow>, DataError> {
    let districts = rows::districts()?;
    let known: HashSet<&str> = districts.iter().map(|row| row.gso_code.as_str()).collect();
    let lost = |row: &&CommuneRow| !known.contains(row.district_gso_code.as_str());
    if let Some(row) = communes.0.values().flatten().find(lost) {
        return Err(DataError::Orphan {
            file: rows::COMMUNES,
            gso_code: row.gso_code.clone(),
            superior: row.district_gso_code.clone(),
        });
    }
    let lost =
        |row: &&DistrictRow| provinces.iter().all(|one| one.gso_code != row.province_gso_code);
    if let Some(row) = districts.iter().find(lost) {
        return Err(DataError::Orphan {
            file: rows::DISTRICTS,
            gso_code: row.gso_code.clone(),
            superior: row.province_gso_code.clone(),
        });
    }
    Ok(Grouped::by(districts, |row| &row.province_gso_code))
}

fn central_bodies() -> Result<Vec<AgencyEntry>, DataError> {
    rows::ministries()?
        .into_iter()
        .map(|row| {
            let code = rows::code(rows::MINISTRIES, &row.agency_code)?;
            Ok(entry(code, row.name, Level::Ministry))
        })
        .collect()
}

fn departments(
    province: &Province,
    territory: &str,
    entries: &mut Vec<AgencyEntry>,
) -> Result<(), DataError> {
    for (department, number) in DEPARTMENTS.iter().zip(1..) {
        let code = numbered(rows::PROVINCES, &province.code, number)?;
        let name = format!("{department} {territory}");
        entries.push(below(&province.code, province, entry(code, name, Level::Province)));
    }
    Ok(())
}

/// Adds a district and its communes.
fn district(
    province: &Province,
    territory: &str,
    row: &DistrictRow,
    number: usize,
    communes: &Grouped<CommuneRow>,
    entries: &mut Vec<AgencyEntry>,
) -> Result<(), DataError> {
    let code = numbered(rows::DISTRICTS, &province.code, number)?;
    let territory = format!("{}, {territory}", inside(&row.name_with_type));
    let committee = entry(code.clone(), format!("Ủy ban nhân dân {territory}"), Level::District);
    entries.push(below(&province.code, province, committee));
    for (row, number) in communes.of(&row.gso_code).zip(1..) {
        let commune = inside(&row.name_with_type);
        let committee = entry(
            numbered(rows::COMMUNES, &code, number)?,
            format!("Ủy ban nhân dân {commune}, {territory}"),
            Level::Commune,
        );
        entries.push(below(&code, province, committee));
    }
    Ok(())
}

/// The code of the `number`th agency below another: two digits, three from the hundredth on.
fn numbered(
    file: &'static str,
    superior: &AgencyCode,
    number: usize,
) -> Result<AgencyCode, DataError> {
    rows::code(file, &format!("{superior}.{number:02}"))
}

fn below(superior: &AgencyCode, province: &Province, entry: AgencyEntry) -> AgencyEntry {
    AgencyEntry { parent: Some(superior.clone()), province: Some(province.code.clone()), ..entry }
}

/// An entry of the shipped directory that has neither superior nor province yet.
fn entry(code: AgencyCode, name: String, level: Level) -> AgencyEntry {
    AgencyEntry {
        code,
        name,
        level,
        parent: None,
        province: None,
        from: FIRST_DAY,
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Required,
        gateway: None,
    }
}
