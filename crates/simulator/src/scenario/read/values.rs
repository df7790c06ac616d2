//! The values that keys have, each with its remedy.

use std::time::Duration;

use lienthong_core::Span;
use lienthong_model::{AgencyCode, Day, DocumentType, Level, Reason, StatusCode, Timestamp};
use toml::de::DeValue;

use super::section::{Field, did_you_mean};
use crate::scenario::{Days, ScenarioError, Since, Words};

type Read<T> = Result<T, ScenarioError>;

/// The largest number of anything: counts stay exact as floating-point numbers.
const NUMBER_MAX: f64 = 1e9;
/// What to write where a whole number is wanted.
const WHOLE: (&str, &str) = ("ghi một số nguyên từ 0", "write a whole number from 0");

impl<'f> Field<'f> {
    /// Says that the value does not do.
    pub fn wrong(&self, remedy: impl Into<Words>) -> ScenarioError {
        let key = self.key;
        let what = match (self.shown(), self.value.type_str()) {
            (Some(text), _) => {
                (format!("`{key}` không nhận `{text}`"), format!("`{key}` cannot be `{text}`"))
            }
            (None, kind) => (
                format!("`{key}` không nhận giá trị kiểu {kind}"),
                format!("`{key}` cannot be this {kind}"),
            ),
        };
        self.file.wrong(self.at, key, what, remedy)
    }

    /// The value as it can be shown on a line.
    fn shown(&self) -> Option<String> {
        match self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Float(number) => Some(number.to_string()),
            DeValue::Datetime(moment) => Some(moment.to_string()),
            DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    pub fn text(&self) -> Read<String> {
        let remedy = ("ghi một chuỗi trong dấu ngoặc kép", "write a text in quotes");
        let text = self.value.as_str().ok_or_else(|| self.wrong(remedy))?;
        Ok(text.trim().to_owned())
    }

    pub fn name(&self) -> Read<String> {
        let name = self.text()?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(self.wrong((
                "ghi tối đa 64 ký tự: chữ thường không dấu, chữ số và dấu gạch nối",
                "write at most 64 lower-case letters, digits and hyphens",
            )));
        }
        Ok(name)
    }

    /// A whole number, in whichever of TOML's notations: 40, `0x28`, `0o50`, `0b101000`.
    fn integer(&self) -> Option<i128> {
        let number = self.value.as_integer()?;
        i128::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// A number from 0.
    pub fn number(&self) -> Read<f64> {
        let number: Option<f64> = match self.value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => self.integer().and_then(|whole| u32::try_from(whole).ok()).map(f64::from),
        };
        let remedy = ("ghi một số từ 0 đến 1000000000", "write a number from 0 to 1000000000");
        let in_range = number.filter(|number| (0.0..=NUMBER_MAX).contains(number));
        in_range.ok_or_else(|| self.wrong(remedy))
    }

    pub fn whole(&self) -> Read<u32> {
        let whole = self.integer().and_then(|whole| u32::try_from(whole).ok());
        whole.ok_or_else(|| self.wrong(WHOLE))
    }

    pub fn seed(&self) -> Read<u64> {
        let whole = self.integer().and_then(|whole| u64::try_from(whole).ok());
        whole.ok_or_else(|| self.wrong(WHOLE))
    }

    pub fn share(&self) -> Read<f64> {
        let remedy =
            ("ghi một tỷ lệ từ 0 đến 1, ví dụ 0.05", "write a share from 0 to 1, such as 0.05");
        let share = self.number().ok().filter(|share| *share <= 1.0);
        share.ok_or_else(|| self.wrong(remedy))
    }

    /// `"all"`, or a share.
    pub fn signatures(&self) -> Read<f64> {
        match self.shown().as_deref() {
            Some("all") => Ok(1.0),
            _ => self.share().map_err(|_| {
                self.wrong((
                    "ghi \"all\" hoặc một tỷ lệ, ví dụ 0.01",
                    "write \"all\", or a share such as 0.01",
                ))
            }),
        }
    }

    /// How long a block takes to the disk.
    pub fn disk(&self) -> Read<Duration> {
        let remedy = ("ghi số mili giây từ 1 đến 1000", "write milliseconds from 1 to 1000");
        let millis = self.whole().ok().filter(|millis| (1..=1_000).contains(millis));
        let millis = millis.ok_or_else(|| self.wrong(remedy))?;
        Ok(Duration::from_millis(millis.into()))
    }

    pub fn flag(&self) -> Read<bool> {
        let remedy = ("ghi true hoặc false", "write true or false");
        self.value.as_bool().ok_or_else(|| self.wrong(remedy))
    }

    /// Whole minutes, also negative ones; at most a year.
    pub fn minutes(&self) -> Read<i32> {
        let remedy = (
            "ghi số phút nguyên, nhiều nhất một năm, ví dụ 90 hoặc -90",
            "write whole minutes, a year at most, such as 90 or -90",
        );
        let whole = self.integer().and_then(|whole| i32::try_from(whole).ok());
        let in_range = whole.filter(|minutes| minutes.unsigned_abs() <= 525_600);
        in_range.ok_or_else(|| self.wrong(remedy))
    }

    fn items(&self) -> Option<Vec<Field<'f>>> {
        let array = self.value.as_array()?;
        let field = |item: &'f toml::Spanned<DeValue<'f>>| Field { value: item.get_ref(), ..*self };
        Some(array.iter().map(field).collect())
    }

    /// One number, or a list of the least and the most.
    pub fn range(&self) -> Read<(f64, f64)> {
        let remedy = (
            "ghi một số, hoặc số nhỏ nhất và số lớn nhất: [1, 3]",
            "write a number, or the least and the most: [1, 3]",
        );
        let range = match self.items().as_deref() {
            None => self.number().ok().map(|one| (one, one)),
            Some([least, most]) => Some((least.number()?, most.number()?)),
            Some(_) => None,
        };
        range.filter(|(least, most)| least <= most).ok_or_else(|| self.wrong(remedy))
    }

    /// The same in whole numbers.
    pub fn whole_range(&self) -> Read<(u32, u32)> {
        let remedy = (
            "ghi một số nguyên, hoặc số nhỏ nhất và số lớn nhất: [1, 3]",
            "write a whole number, or the least and the most: [1, 3]",
        );
        let range = match self.items().as_deref() {
            None => self.whole().ok().map(|one| (one, one)),
            Some([least, most]) => Some((least.whole()?, most.whole()?)),
            Some(_) => None,
        };
        range.filter(|(least, most)| least <= most).ok_or_else(|| self.wrong(remedy))
    }

    /// A list, or a single value.
    pub fn list<T>(&self, read: impl Fn(&Field<'f>) -> Read<T>) -> Read<Vec<T>> {
        match self.items() {
            Some(items) => items.iter().map(read).collect(),
            None => Ok(vec![read(self)?]),
        }
    }

    pub fn day(&self) -> Read<Day> {
        let text = self.shown().filter(|text| text.len() == 10);
        let day = text.and_then(|text| Timestamp::parse(&text)).map(Timestamp::day);
        let remedy = ("ghi một ngày, ví dụ 2020-11-16", "write a day, such as 2020-11-16");
        day.ok_or_else(|| self.wrong(remedy))
    }

    /// A day, or `from..until` in a text, both included.
    pub fn days(&self) -> Read<Days> {
        let text = self.shown().unwrap_or_default();
        let day =
            |text: &str| Timestamp::parse(text).filter(|_| text.len() == 10).map(Timestamp::day);
        let (first, last) = text.split_once("..").unwrap_or((&text, &text));
        let days = day(first).zip(day(last)).filter(|(first, last)| first <= last);
        let days = days.map(|(first, last)| Days { first, last });
        days.ok_or_else(|| {
            self.wrong((
                "ghi một ngày, hoặc ngày đầu và ngày cuối: \"2020-01-23..2020-01-29\"",
                "write a day, or the first and the last: \"2020-01-23..2020-01-29\"",
            ))
        })
    }

    /// A moment; without an offset it is of UTC+07:00.
    pub fn moment(&self) -> Read<Timestamp> {
        let text = self.shown().unwrap_or_default().replacen(' ', "T", 1);
        let moment = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}+07:00")));
        let remedy = (
            "ghi một thời điểm, ví dụ 2020-11-16T09:00:00",
            "write a moment, such as 2020-11-16T09:00:00",
        );
        moment.ok_or_else(|| self.wrong(remedy))
    }

    pub fn since(&self) -> Read<Since> {
        match self.shown().as_deref() {
            Some("always") => Ok(Since::Always),
            Some("never") => Ok(Since::Never),
            _ => self.day().map(Since::Day).map_err(|_| {
                self.wrong((
                    "ghi một ngày, ví dụ 2020-11-16, hoặc \"always\" hay \"never\"",
                    "write a day, such as 2020-11-16, or \"always\" or \"never\"",
                ))
            }),
        }
    }

    pub fn code(&self) -> Read<AgencyCode> {
        let remedy = (
            "ghi mã cơ quan, ví dụ H36: xem `lienthong directory list`",
            "write an agency's code, such as H36: see `lienthong directory list`",
        );
        let text = self.text()?;
        AgencyCode::parse(&text).map_err(|_| self.wrong(remedy))
    }

    pub fn level(&self) -> Read<Level> {
        let level = self.text().ok().and_then(|text| text.parse().ok());
        let remedy = (
            "ghi ministry, province, district hoặc commune",
            "write ministry, province, district or commune",
        );
        level.ok_or_else(|| self.wrong(remedy))
    }

    pub fn span(&self) -> Read<Span> {
        match self.text()?.as_str() {
            "any" => Ok(Span::Any),
            "inside" => Ok(Span::Inside),
            "between" => Ok(Span::Between),
            "centre" => Ok(Span::Centre),
            _ => Err(self.wrong((
                "ghi any, inside (trong tỉnh), between (giữa các tỉnh) hoặc centre (trung ương)",
                "write any, inside, between (provinces) or centre",
            ))),
        }
    }

    pub fn document_type(&self) -> Read<DocumentType> {
        let text = self.text()?;
        let known = match text.as_str() {
            "CV" => Some(DocumentType::OFFICIAL_LETTER),
            _ => DocumentType::by_abbreviation(&text).or_else(|| DocumentType::by_name(&text)),
        };
        known.ok_or_else(|| {
            self.wrong((
                "ghi chữ viết tắt theo Nghị định 30/2020/NĐ-CP (QĐ, TB, CV …) hoặc tên loại",
                "write an abbreviation of Decree 30/2020/NĐ-CP (QĐ, TB, CV …) or a name",
            ))
        })
    }

    pub fn reason(&self) -> Read<Reason> {
        let text = self.text()?;
        let known = Reason::ALL.iter().find(|reason| reason.code() == text);
        known.copied().ok_or_else(|| {
            let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
            self.wrong(did_you_mean(&text, &codes))
        })
    }

    pub fn status(&self) -> Read<StatusCode> {
        let number = self.text().ok().and_then(|text| text.parse().ok());
        let known = number.and_then(StatusCode::from_number);
        known.ok_or_else(|| {
            self.wrong((
                "ghi trạng thái trong dấu ngoặc kép: \"02\", \"03\" … \"06\"",
                "write a status in quotes: \"02\", \"03\" … \"06\"",
            ))
        })
    }

    /// Office hours: `07:30-11:30`, in minutes since midnight.
    pub fn hours(&self) -> Read<(u32, u32)> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let text = self.text()?;
        let span = text.split_once('-').and_then(|(a, b)| minute(a).zip(minute(b)));
        let fits = span.filter(|(from, to)| from < to);
        fits.ok_or_else(|| {
            self.wrong((
                "ghi giờ làm việc như [\"07:30-11:30\", \"13:30-17:00\"]",
                "write hours as [\"07:30-11:30\", \"13:30-17:00\"]",
            ))
        })
    }

    /// One of several names.
    pub fn one_of<T: Copy>(&self, all: &[T], name: impl Fn(T) -> &'static str) -> Read<T> {
        let text = self.text()?;
        let known = all.iter().find(|one| name(**one) == text);
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
            self.wrong(did_you_mean(&text, &names))
        })
    }
}
