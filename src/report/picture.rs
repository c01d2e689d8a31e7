//! Figures as pictures: drawn as SVG and turned into PNG here, for mail programs show no SVG.
//!
//! Nothing of the system is needed: the letters come from a font in the program that holds exactly the characters of
//! the labels below (`font/`, SIL Open Font License). Words that people write never stand in a picture.

use crate::desk::digest::{AGES, Figures, Flow};
use crate::desk::words::{Language, Priority};
use chrono::{Datelike as _, NaiveDate};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

static FONT: &[u8] = include_bytes!("font/NotoSansCJKsc-subset.otf");
const FAMILY: &str = "Noto Sans CJK SC";

/// Shown this wide; drawn twice as large, so that it stays sharp.
pub const WIDTH: u32 = 480;
const SCALE: f32 = 2.0;

const NEW: &str = "#2f6fde";
const CLOSED: &str = "#93b87a";
const BACKLOG: &str = "#d9722b";
const GRID: &str = "#e3e7ec";
const INK: &str = "#1f2328";
const FAINT: &str = "#59636e";
/// Of P1 to P4.
pub const PRIORITIES: [&str; 4] = ["#b3261e", "#e08a1e", "#3f7cc4", "#a9bbcf"];

/// A picture and how large it is shown.
#[derive(Clone, Debug)]
pub struct Picture {
    pub svg: String,
    pub height: u32,
}

/// Draws a picture.
///
/// # Panics
/// Never for what this file writes; a test draws each.
pub fn png(picture: &Picture) -> Vec<u8> {
    static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        Arc::new(fonts)
    });
    let options = usvg::Options { fontdb: FONTS.clone(), font_family: FAMILY.to_owned(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(&picture.svg, &options).expect("a picture of ours");
    let size = |shown: u32| (shown as f32 * SCALE) as u32;
    let mut pixels = tiny_skia::Pixmap::new(size(WIDTH), size(picture.height)).expect("it has a size");
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().expect("memory takes everything")
}

/// An SVG being written.
struct Canvas {
    svg: String,
    height: u32,
}

impl Canvas {
    fn new(height: u32) -> Canvas {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FAMILY}\">"
        );
        let _ = write!(svg, "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>");
        Canvas { svg, height }
    }

    /// Nothing when it has no size: the reader of SVG warns of each such one.
    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        if width < 0.1 || height < 0.1 {
            return;
        }
        let _ = write!(
            self.svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        );
    }

    fn line(&mut self, y: f64, from: f64, to: f64) {
        let _ = write!(
            self.svg,
            "<line x1=\"{from:.1}\" y1=\"{y:.1}\" x2=\"{to:.1}\" y2=\"{y:.1}\" stroke=\"{GRID}\" stroke-width=\"1\"/>"
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, size: u32, fill: &str, text: &str) {
        let _ = write!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{fill}\">{text}</text>"
        );
    }

    /// A coloured square with its meaning, from `x` on; gives where the next one may begin.
    fn key(&mut self, x: f64, fill: &str, label: &str) -> f64 {
        self.rect(x, 6.0, 12.0, 12.0, fill);
        self.text(x + 17.0, 18.0, "start", 16, INK, label);
        x + 17.0 + width_of(label, 16.0) + 16.0
    }

    fn finish(mut self) -> Picture {
        self.svg.push_str("</svg>");
        Picture { svg: self.svg, height: self.height }
    }
}

/// Roughly how wide a label is.
fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.56 } else { 1.0 } * size).sum()
}

/// A round number that is at least `most`, and the distance of four lines up to it.
fn scale(most: u64) -> (u64, u64) {
    let mut step = 1;
    loop {
        for nice in [step, 2 * step, 3 * step, 5 * step] {
            if nice * 4 >= most {
                return (nice * 4, nice);
            }
        }
        step *= 10;
    }
}

/// Columns of new and closed tickets for each day, and the backlog as a line; both have a scale of their own.
pub fn flow(flow: &[Flow], first: NaiveDate, language: Language) -> Picture {
    let mut canvas = Canvas::new(236);
    let next = canvas.key(8.0, NEW, language.pick("新增", "New"));
    let next = canvas.key(next, CLOSED, language.pick("关闭", "Closed"));
    canvas.key(next, BACKLOG, language.pick("积压（右轴）", "Open, day's end (right)"));
    let (left, right, top, bottom) = (40.0, f64::from(WIDTH) - 44.0, 36.0, 204.0);
    let (most, step) = scale(flow.iter().map(|day| day.new.max(day.closed)).max().unwrap_or(0).max(1));
    let backlog = |day: &Flow| u64::try_from(day.backlog).unwrap_or(0);
    let (open_most, open_step) = scale(flow.iter().map(backlog).max().unwrap_or(0).max(1));
    let height = |value: u64, most: u64| (bottom - top) * value as f64 / most as f64;
    for line in 0..=4 {
        let y = bottom - height(line * step, most);
        canvas.line(y, left, right);
        canvas.text(left - 6.0, y + 5.0, "end", 15, FAINT, &(line * step).to_string());
        canvas.text(right + 6.0, y + 5.0, "start", 15, BACKLOG, &(line * open_step).to_string());
    }
    let slot = (right - left) / flow.len().max(1) as f64;
    let column = (slot * 0.36).min(18.0);
    let mut points = String::new();
    for (index, day) in flow.iter().enumerate() {
        let middle = left + slot * (index as f64 + 0.5);
        for (side, value, fill) in [(-1.0, day.new, NEW), (0.0, day.closed, CLOSED)] {
            let tall = height(value, most);
            canvas.rect(middle + side * column, bottom - tall, column, tall, fill);
        }
        let y = bottom - height(backlog(day), open_most);
        let _ = write!(points, "{middle:.1},{y:.1} ");
        let date = first + chrono::Days::new(index as u64);
        let short = flow.len() > 10;
        if !short || date.day() % 7 == 1 {
            let label = match (short, language) {
                (true, Language::Chinese) => format!("{}日", date.day()),
                (true, Language::English) => date.day().to_string(),
                (false, _) => weekday(date.weekday().num_days_from_monday() as usize, language).to_owned(),
            };
            canvas.text(middle, bottom + 20.0, "middle", 15, FAINT, &label);
        }
    }
    let _ = write!(
        canvas.svg,
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{BACKLOG}\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>"
    );
    canvas.finish()
}

/// Open tickets by age, each bar cut by priority.
pub fn ages(figures: &Figures, language: Language) -> Picture {
    let mut canvas = Canvas::new(206);
    let mut next = 8.0;
    for priority in Priority::ALL {
        next = canvas.key(next, PRIORITIES[*priority as usize], priority.as_str());
    }
    let most = figures.stock.ages.iter().map(|band| band.iter().sum()).max().unwrap_or(0).max(1);
    let (left, room) = (112.0, f64::from(WIDTH) - 112.0 - 60.0);
    for (index, band) in figures.stock.ages.iter().enumerate() {
        let y = 34.0 + 34.0 * index as f64;
        canvas.text(left - 10.0, y + 18.0, "end", 16, INK, &age(index, language));
        let mut x = left;
        for (priority, count) in band.iter().enumerate() {
            let wide = room * *count as f64 / most as f64;
            canvas.rect(x, y, wide, 24.0, PRIORITIES[priority]);
            x += wide;
        }
        canvas.text(x + 8.0, y + 18.0, "start", 16, INK, &band.iter().sum::<u64>().to_string());
    }
    canvas.finish()
}

/// An age band in words.
pub fn age(band: usize, language: Language) -> String {
    match (AGES[band], language) {
        ((from, u64::MAX), Language::Chinese) => format!("{} 天以上", from - 1),
        ((from, u64::MAX), Language::English) => format!("over {} days", from - 1),
        ((from, to), Language::Chinese) => format!("{from}–{to} 天"),
        ((from, to), Language::English) => format!("{from}–{to} days"),
    }
}

pub fn weekday(day: usize, language: Language) -> &'static str {
    const CHINESE: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    const ENGLISH: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    language.pick(CHINESE[day], ENGLISH[day])
}

/// New tickets by weekday and hour, the more the darker.
pub fn heat(figures: &Figures, language: Language) -> Picture {
    let mut canvas = Canvas::new(212);
    let most = figures.heat.iter().flatten().copied().max().unwrap_or(0).max(1);
    let (left, top, wide, tall) = (48.0, 8.0, 17.5, 25.0);
    for (day, hours) in figures.heat.iter().enumerate() {
        let y = top + tall * day as f64;
        canvas.text(left - 8.0, y + 18.0, "end", 15, INK, weekday(day, language));
        for (hour, count) in hours.iter().enumerate() {
            canvas.rect(left + wide * hour as f64, y, wide - 1.5, tall - 1.5, &shade(*count, most));
        }
    }
    for hour in (0..24).step_by(3) {
        let x = left + wide * f64::from(hour);
        canvas.text(x, top + 7.0 * tall + 19.0, "start", 15, FAINT, &format!("{hour}:00"));
    }
    canvas.finish()
}

/// From nearly white to blue; nothing at all is grey.
fn shade(count: u64, most: u64) -> String {
    if count == 0 {
        return "#f1f3f5".to_owned();
    }
    let part = (count as f64 / most as f64).sqrt();
    let mix = |from: f64, to: f64| (from + (to - from) * part) as u8;
    format!("#{:02x}{:02x}{:02x}", mix(214.0, 18.0), mix(228.0, 70.0), mix(247.0, 156.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::digest::{Kind, Period};
    use crate::time::Timestamp;

    fn figures() -> Figures {
        let at = Timestamp::parse("2026-11-02T08:00:00+08:00").unwrap();
        let mut figures = Figures::new(Period::before_date(Kind::Monthly, at, chrono_tz::Asia::Shanghai));
        figures.heat[2][10] = 7;
        figures.stock.ages[4] = [1, 2, 3, 4];
        for (index, day) in figures.flow.iter_mut().enumerate() {
            *day = Flow { new: index as u64, closed: 30 - index as u64, backlog: 100 + index as i64 };
        }
        figures
    }

    /// Every picture this file can draw, with its name.
    fn all() -> Vec<(&'static str, Picture)> {
        let figures = figures();
        let first = figures.period.first_day();
        let in_language = |language| {
            vec![
                ("month", flow(&figures.flow, first, language)),
                ("week", flow(&figures.flow[..7], first, language)),
                ("ages", ages(&figures, language)),
                ("heat", heat(&figures, language)),
            ]
        };
        [Language::Chinese, Language::English].into_iter().flat_map(in_language).collect()
    }

    /// A character that the font does not have leaves no ink.
    #[test]
    fn every_character_of_every_label_is_in_the_font() {
        let has_ink = |c: char| {
            let mut canvas = Canvas::new(40);
            canvas.text(20.0, 30.0, "start", 24, "#000000", &c.to_string().replace('<', "&lt;").replace('&', "&amp;"));
            let pixels = tiny_skia::Pixmap::decode_png(&png(&canvas.finish())).unwrap();
            pixels.pixels().iter().any(|pixel| pixel.red() < 128)
        };
        assert!(has_ink('新') && !has_ink('龘'), "the test can fail");
        for (name, picture) in all() {
            let labels = picture.svg.split('>').map(|piece| piece.split('<').next().unwrap_or_default());
            let labels: std::collections::BTreeSet<char> = labels.flat_map(str::chars).filter(|c| *c != ' ').collect();
            let unknown: String = labels.into_iter().filter(|c| !has_ink(*c)).collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?} is not in the font: see font/README.md");
        }
    }

    #[test]
    fn every_picture_is_drawn_and_has_ink() {
        for (name, picture) in all() {
            let bytes = png(&picture);
            let pixels = tiny_skia::Pixmap::decode_png(&bytes).unwrap();
            assert_eq!((pixels.width(), pixels.height()), (2 * WIDTH, 2 * picture.height), "{name}");
            let dark = pixels.pixels().iter().filter(|p| p.red() < 128 && p.blue() < 128).count();
            assert!(dark > 500 && bytes.len() < 60_000, "{name}: {dark} dark pixels, {} bytes", bytes.len());
            for empty in ["width=\"0.0\"", "height=\"0.0\""] {
                assert!(!picture.svg.contains(empty), "{name} has a rectangle of no size");
            }
            let again = png(&picture);
            assert!(bytes == again, "{name} is always drawn the same");
        }
    }

    #[test]
    fn scales_end_in_round_numbers() {
        for (most, expect) in [(1, 4), (4, 4), (5, 8), (9, 12), (21, 40), (81, 120), (1000, 1200), (83_000, 120_000)] {
            assert_eq!(scale(most).0, expect, "{most}");
        }
    }
}
