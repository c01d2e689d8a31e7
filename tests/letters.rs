//! What leaves the desk: every letter's words and bytes.

use maildesk::desk::letter::Letter;
use maildesk::desk::link::Key;
use maildesk::mail::{Rendered, Templates, compose, render, samples};

fn key() -> Key {
    Key([7; 32])
}

fn templates() -> Templates {
    Templates::load(None).unwrap_or_else(|faults| {
        let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("built-in templates:\n{}", list.join("\n"))
    })
}

fn words(templates: &Templates, letter: &Letter) -> Rendered {
    render(templates, letter, &samples::identity(), &key(), samples::now())
}

/// Writes every sample letter below the build folder, to be looked at in a browser and a mail program.
#[test]
fn every_letter_renders_in_both_languages() {
    let templates = templates();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("letters");
    std::fs::create_dir_all(&folder).unwrap();
    for (index, letter) in samples::letter_samples().iter().enumerate() {
        let words = words(&templates, letter);
        let name = format!("{index:03}-{}-{}", letter.content.template(), letter.to.language.as_str());
        let composed = compose(&words, letter, &samples::identity(), &key(), &[], samples::now());
        std::fs::write(folder.join(format!("{name}.txt")), format!("{}\n\n{}", words.subject, words.text)).unwrap();
        std::fs::write(folder.join(format!("{name}.html")), &words.html).unwrap();
        std::fs::write(folder.join(format!("{name}.eml")), &composed.bytes).unwrap();
    }
}
