//! Figures on shaded cells can be read: at least 4.5 to 1 (WCAG 2.1, 1.4.3), in light and in dark.

use std::collections::BTreeMap;
use std::path::Path;

const CONTRAST_MIN: f64 = 4.5;

fn style() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/console.css");
    std::fs::read_to_string(file).unwrap()
}

/// What stands in the braces behind a selector's first place.
fn block<'s>(style: &'s str, selector: &str) -> &'s str {
    let (_, rest) = style.split_once(&format!("{selector} {{")).expect(selector);
    rest.split_once('}').unwrap().0
}

/// The declarations of a block, by name.
fn declared(block: &str) -> BTreeMap<&str, &str> {
    let pairs = block.split(';').filter_map(|one| one.split_once(':'));
    pairs.map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// The variables in light and in dark; what dark does not name is as in light.
fn schemes(style: &str) -> [BTreeMap<&str, &str>; 2] {
    let (_, dark) = style.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let light = declared(block(style, ":root"));
    let mut both = light.clone();
    both.extend(declared(block(dark, ":root")));
    [light, both]
}

/// The relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn figures_on_every_shade_are_read_in_light_and_in_dark() {
    let style = style();
    for (scheme, variables) in ["light", "dark"].into_iter().zip(schemes(&style)) {
        let colour = |value: &str| {
            let name = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')'));
            variables[name.expect(value)]
        };
        for shade in 1..=6 {
            let cell = declared(block(&style, &format!("td.q{shade}")));
            let text = cell.get("color").copied().unwrap_or("var(--ink)");
            let found = contrast(colour(cell["background"]), colour(text));
            assert!(found >= CONTRAST_MIN, "q{shade} in {scheme}: {found:.2}");
        }
    }
}
