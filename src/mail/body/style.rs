//! Inline styles: is the element visible? (`hardening.md` S13)

/// What a style says about visibility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub hidden: bool,
    /// Text of no size, `Some(false)` when a size is given that can be read.
    pub tiny: Option<bool>,
    /// Perhaps not visible: white or transparent text, tricks of placement.
    pub doubtful: bool,
}

/// Reads a `style` attribute.
pub fn look(style: &str) -> Look {
    if style.is_empty() {
        return Look::default();
    }
    let mut look = Look { doubtful: style.contains("/*") || style.contains('\\'), ..Look::default() };
    let (mut overflow_hidden, mut no_height) = (false, false);
    let (mut ink, mut paper) = (String::new(), String::new());
    let style = style.to_ascii_lowercase();
    for declaration in style.split(';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim();
        let value: String = value.chars().filter(|c| !c.is_whitespace()).take(80).collect();
        let value = value.strip_suffix("!important").unwrap_or(&value);
        match name {
            "display" => look.hidden |= value == "none",
            "visibility" => look.hidden |= matches!(value, "hidden" | "collapse"),
            "opacity" => look.hidden |= number(value).is_some_and(|n| n < 0.1),
            "font-size" => look.tiny = number(value).map(|n| n == 0.0 || (n < 1.5 && !value.ends_with("em"))),
            "font" => look.tiny = value.starts_with('0').then_some(true).or(look.tiny),
            "overflow" | "overflow-y" => overflow_hidden |= value == "hidden",
            "max-height" | "height" | "max-width" | "width" => no_height |= number(value) == Some(0.0),
            "color" => ink = value.to_owned(),
            "background" | "background-color" => paper = value.to_owned(),
            "mso-hide" => look.doubtful |= value == "all",
            "position" => look.doubtful |= matches!(value, "absolute" | "fixed"),
            "line-height" => look.doubtful |= number(value) == Some(0.0),
            "text-indent" | "left" | "top" | "right" | "margin-left" | "margin-top" | "letter-spacing" => {
                look.doubtful |= number(value).is_some_and(|n| n < -20.0);
            }
            _ => look.doubtful |= TRICKS.contains(&name),
        }
    }
    look.hidden |= overflow_hidden && no_height;
    look.doubtful |= !ink.is_empty() && (is_invisible_color(&ink) || ink == paper);
    look
}

/// Properties that no compose window needs and that can make text vanish.
const TRICKS: &[&str] = &[
    "clip",
    "clip-path",
    "transform",
    "filter",
    "mask",
    "mask-image",
    "content-visibility",
    "z-index",
    "scale",
    "zoom",
    "rotate",
    "perspective",
    "-webkit-text-fill-color",
    "mix-blend-mode",
];

/// The leading number of a CSS length.
fn number(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(value.len());
    value[..end].parse().ok()
}

/// White, nearly white, or transparent.
fn is_invisible_color(value: &str) -> bool {
    if let Some(hex) = value.strip_prefix('#') {
        return !hex.is_empty() && hex.bytes().enumerate().all(|(i, b)| b >= b'e' || (hex.len() > 3 && i % 2 == 1));
    }
    let transparent = value.starts_with("rgba(") && (value.ends_with(",0)") || value.ends_with(",0.0)"));
    transparent
        || matches!(
            value,
            "white" | "transparent" | "snow" | "ivory" | "whitesmoke" | "rgb(255,255,255)" | "rgba(255,255,255,1)"
        )
}

/// The classes, ids and elements that a style sheet may hide. Their text is kept, because what such a sheet really does
/// (`@media`, nesting, order) is not found out here; it is only never taken for a command.
pub fn sheet_hides(sheet: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rule in sheet.split('}').take(2000) {
        let Some((selector, declarations)) = rule.rsplit_once('{') else { continue };
        let look = look(declarations);
        if look.hidden || look.tiny == Some(true) || look.doubtful {
            let words = selector.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '#' | '*')));
            names.extend(words.filter(|w| !w.is_empty()).take(50).map(|w| w.trim_start_matches('*').to_owned()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_styles() {
        let hidden = |s: &str| look(s).hidden || look(s).tiny == Some(true);
        for s in [
            "display:none",
            "DISPLAY : none !important",
            "color:red;visibility:hidden",
            "font-size:0",
            "font-size:0px",
            "font-size:1px",
            "font:0/0 a",
            "opacity:0",
            "max-height:0;overflow:hidden",
            "overflow:hidden; height:0px",
        ] {
            assert!(hidden(s), "{s}");
        }
        for s in ["", "display:block", "font-size:1em", "font-size:12px", "opacity:1", "height:0", "overflow:hidden"] {
            assert!(!hidden(s), "{s}");
        }
    }

    #[test]
    fn doubtful_styles() {
        for s in [
            "color:#FFF",
            "color: white",
            "text-indent:-9999px",
            "disp/**/lay:none",
            "displa\\79:none",
            "mso-hide:all",
            "color:#fefefe",
            "color:#000;background-color:#000",
            "position:absolute;left:-999px",
            "transform:scale(0)",
            "line-height:0",
        ] {
            assert!(look(s).doubtful, "{s}");
        }
        for s in ["color:#333", "background:url(a/b.png)", "margin-left:40px"] {
            assert!(!look(s).doubtful, "{s}");
        }
    }

    #[test]
    fn sheets_name_what_they_hide() {
        assert_eq!(sheet_hides("p{color:red} .x, #y {display:none}"), [".x", "#y"]);
        assert!(sheet_hides("p{color:red}").is_empty());
    }
}
