use super::*;

fn text(plain: &str) -> String {
    read(Some(plain), None).body.text
}

#[test]
fn nothing_is_an_empty_reading() {
    assert_eq!(read(None, None).body.text, "");
    assert_eq!(text(""), "");
}
