//! The letters' words: templates built into the program, each replaceable by a file of the site's own folder.
//!
//! `<letter>/<language>/text.txt` and `html.html` for every [`Content`](crate::desk::letter::Content), `subject.txt`
//! for letters that may be about no ticket, and pieces they share under `shared/`. Text of a mail is only ever a
//! value, never a template source (`hardening.md` S43).

use crate::desk::letter::Letter;
use crate::desk::link::Key;
use crate::mail::samples;
use crate::mail::view::{register_filters, view, write_escaped};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tera::{ErrorKind, Tera};

/// Something wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateFault {
    /// Name below the template folder.
    pub file: String,
    /// Counted from 1; 0 when the fault has no place.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// Compiled templates, every one of them tried once.
#[derive(Debug)]
pub struct Templates {
    /// Built-in templates with the site's on top.
    site: Arc<Tera>,
    /// The built-in ones alone: what is used when a site's template fails on facts that no sample had.
    built_in: Arc<Tera>,
}

/// Text and HTML in both languages of one letter, with the names of any further files.
macro_rules! letter {
    ($letter:literal $(, $more:literal)*) => {
        &[
            file!($letter, "/zh-CN/text.txt"),
            file!($letter, "/zh-CN/html.html"),
            file!($letter, "/en/text.txt"),
            file!($letter, "/en/html.html"),
            $(file!($letter, $more)),*
        ]
    };
}

macro_rules! file {
    ($($piece:literal),*) => { (concat!($($piece),*), include_str!(concat!("../../templates/", $($piece),*))) };
}

type Files = &'static [(&'static str, &'static str)];

const BUILT_IN: &[Files] = &[
    &[
        file!("shared/layout.html"),
        file!("shared/parts.html"),
        file!("shared/report.html"),
        file!("shared/report.txt"),
        file!("shared/zh-CN/facts.html"),
        file!("shared/zh-CN/facts.txt"),
        file!("shared/zh-CN/footer.txt"),
        file!("shared/zh-CN/playbook.txt"),
        file!("shared/zh-CN/hint.txt"),
        file!("shared/zh-CN/rating.html"),
        file!("shared/zh-CN/rating.txt"),
        file!("shared/zh-CN/subject.txt"),
        file!("shared/zh-CN/visit.html"),
        file!("shared/zh-CN/visit.txt"),
        file!("shared/en/facts.html"),
        file!("shared/en/facts.txt"),
        file!("shared/en/footer.txt"),
        file!("shared/en/playbook.txt"),
        file!("shared/en/hint.txt"),
        file!("shared/en/rating.html"),
        file!("shared/en/rating.txt"),
        file!("shared/en/subject.txt"),
        file!("shared/en/visit.html"),
        file!("shared/en/visit.txt"),
    ],
    &[
        file!("page/layout.html"),
        file!("page/gone.html"),
        file!("page/trouble.html"),
        file!("page/zh-CN/rate.html"),
        file!("page/zh-CN/thanks.html"),
        file!("page/en/rate.html"),
        file!("page/en/thanks.html"),
        file!("page/zh-CN/approval.html"),
        file!("page/zh-CN/approval_code.html"),
        file!("page/zh-CN/approval_done.html"),
        file!("page/en/approval.html"),
        file!("page/en/approval_code.html"),
        file!("page/en/approval_done.html"),
        file!("page/zh-CN/article.html"),
        file!("page/zh-CN/article_thanks.html"),
        file!("page/en/article.html"),
        file!("page/en/article_thanks.html"),
        file!("page/dossier_style.html"),
        file!("page/zh-CN/dossier.html"),
        file!("page/en/dossier.html"),
    ],
    letter!("acknowledgement"),
    letter!("notice"),
    letter!("answer"),
    letter!("message"),
    letter!("copied"),
    letter!("files_kept"),
    letter!("proposal"),
    letter!("follow_up"),
    letter!("completed"),
    letter!("handover"),
    letter!("workaround"),
    letter!("resolution"),
    letter!("confirm_reminder"),
    letter!("clarify"),
    letter!("reopened"),
    letter!("closed"),
    letter!("merged"),
    letter!("cancelled"),
    letter!("transcript", "/zh-CN/subject.txt", "/en/subject.txt"),
    letter!("confirm_command", "/zh-CN/subject.txt", "/en/subject.txt"),
    letter!("impersonated"),
    letter!("unheard"),
    letter!("taken_back"),
    letter!("dissatisfied"),
    letter!("undelivered"),
    letter!("escalation"),
    letter!("incident"),
    letter!("vendor"),
    letter!("outage", "/zh-CN/subject.txt", "/en/subject.txt"),
    letter!("waiting"),
    letter!("on_hold"),
    letter!("taken"),
    letter!("progress"),
    letter!("overdue", "/zh-CN/subject.txt", "/en/subject.txt"),
    letter!("visit"),
    letter!("visit_reminder"),
    letter!("visit_over"),
    letter!("visit_answer"),
    letter!("too_large", "/zh-CN/subject.txt", "/en/subject.txt"),
    letter!("approval_request"),
    letter!("approval_news"),
    letter!("approval_receipt"),
    letter!("approval_refused"),
    letter!("approval_code"),
    letter!("approval_overdue"),
    letter!("article"),
    letter!("article_helped"),
    letter!("review"),
    letter!("review_plan"),
    letter!("digest", "/zh-CN/subject.txt", "/en/subject.txt"),
];

/// No template of a sane site is larger.
const MAX_TEMPLATE_BYTES: u64 = 1 << 20;

impl Templates {
    /// Compiles every template, the site's files from `folder` in place of the built-in ones of the same name, and
    /// renders each once with every sample letter.
    ///
    /// # Errors
    /// Every fault found: files that are no template of ours, syntax, unknown variables and filters.
    pub fn load(folder: Option<&Path>) -> Result<Templates, Vec<TemplateFault>> {
        let built_in = Arc::new(compile(built_in_sources())?);
        let mut faults = Vec::new();
        let own = folder.map(|folder| site_sources(folder, &mut faults)).unwrap_or_default();
        let templates = if own.is_empty() {
            Templates { site: built_in.clone(), built_in }
        } else {
            Templates { site: Arc::new(compile_with(&own, &mut faults)), built_in }
        };
        templates.try_samples(&mut faults);
        faults.sort();
        faults.dedup();
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// Names of the built-in templates, as an overriding folder must spell them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().flat_map(|files| files.iter()).map(|(name, _)| *name)
    }

    /// The templates of a letter: subject, text, HTML.
    pub(super) fn names_for(&self, letter: &Letter) -> [String; 3] {
        let (kind, language) = (letter.content.template(), letter.to.language.as_str());
        let own = format!("{kind}/{language}/subject.txt");
        let subject = if self.has(&own) { own } else { format!("shared/{language}/subject.txt") };
        [subject, format!("{kind}/{language}/text.txt"), format!("{kind}/{language}/html.html")]
    }

    /// A web page, filled in; `None` when its template fails.
    pub fn page(&self, name: &str, view: &tera::Context) -> Option<String> {
        self.render(name, view)
    }

    fn has(&self, name: &str) -> bool {
        self.built_in.contains_template(name)
    }

    /// Renders with the site's template, or with the built-in one when that fails.
    pub(super) fn render(&self, name: &str, view: &tera::Context) -> Option<String> {
        let failed = match self.site.render(name, view) {
            Ok(text) => return Some(text),
            Err(error) => error,
        };
        let fault = faults_of(&failed, name).into_iter().next().map(|f| f.to_string()).unwrap_or_default();
        tracing::error!(template = name, "a letter's template failed, the built-in one is used: {fault}");
        self.built_in.render(name, view).ok()
    }

    /// Errors that only rendering shows: every sample letter in both languages, text, HTML and subject, and the pages.
    fn try_samples(&self, faults: &mut Vec<TemplateFault>) {
        let (desk, key) = (samples::identity(), Key([0; 32]));
        for (name, view) in samples::page_samples() {
            if let Err(error) = self.site.render(&name, &view) {
                faults.extend(faults_of(&error, &name));
            }
        }
        for letter in samples::letter_samples() {
            let view = view(&letter, &desk, &key, samples::now());
            for name in self.names_for(&letter) {
                if let Err(error) = self.site.render(&name, &view) {
                    faults.extend(faults_of(&error, &name));
                }
            }
        }
    }
}

fn built_in_sources() -> BTreeMap<String, String> {
    BUILT_IN.iter().flat_map(|files| files.iter()).map(|(n, s)| ((*n).to_owned(), (*s).to_owned())).collect()
}

fn compile(sources: BTreeMap<String, String>) -> Result<Tera, Vec<TemplateFault>> {
    let mut tera = Tera::new();
    tera.autoescape_on(vec![".html"]);
    tera.set_escape_fn(write_escaped);
    register_filters(&mut tera);
    tera.add_raw_templates(sources).map_err(|error| faults_of(&error, ""))?;
    Ok(tera)
}

/// The built-in templates with the site's on top; faulty ones are left out and named, so that one fault does not
/// hide the next.
fn compile_with(own: &BTreeMap<String, String>, faults: &mut Vec<TemplateFault>) -> Tera {
    let with = |chosen: &BTreeMap<String, String>| {
        let mut sources = built_in_sources();
        sources.extend(chosen.clone());
        compile(sources)
    };
    if let Ok(all) = with(own) {
        return all;
    }
    let mut good = BTreeMap::new();
    for (name, source) in own {
        match with(&BTreeMap::from([(name.clone(), source.clone())])) {
            Ok(_) => drop(good.insert(name.clone(), source.clone())),
            Err(found) => faults.extend(found),
        }
    }
    with(&good)
        .or_else(|found| {
            faults.extend(found);
            compile(built_in_sources())
        })
        .expect("the built-in templates compiled before")
}

/// The site's files by name. Anything that would never be used is a fault: it is a misspelt name.
fn site_sources(folder: &Path, faults: &mut Vec<TemplateFault>) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut fault = |file: String, message: String| faults.push(TemplateFault { file, line: 0, message });
    let mut files = Vec::new();
    if let Err(error) = list_files(folder, 0, &mut files) {
        fault(folder.display().to_string(), error.to_string());
    }
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if name == "README.md" {
            continue;
        }
        if !Templates::names().any(|known| known == name) {
            fault(name, "no letter uses a template of this name".into());
            continue;
        }
        match std::fs::metadata(&path).and_then(|about| {
            if about.len() > MAX_TEMPLATE_BYTES {
                return Err(std::io::Error::other("larger than 1 MB"));
            }
            std::fs::read_to_string(&path)
        }) {
            Ok(source) => drop(sources.insert(name, source.trim_start_matches('\u{feff}').replace("\r\n", "\n"))),
            Err(error) => fault(name, error.to_string()),
        }
    }
    sources
}

/// Files below `folder` at most three folders deep; hidden ones are skipped (editors and version control).
fn list_files(folder: &Path, depth: usize, files: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let path = entry.path();
        if path.is_dir() && !hidden && depth < 3 {
            list_files(&path, depth + 1, files)?;
        } else if !hidden {
            files.push(path);
        }
    }
    Ok(())
}

/// The places an engine error names. Several stand in one error as reports separated by blank lines:
/// `error: MESSAGE`, then `--> FILE:LINE:COLUMN`.
fn faults_of(error: &tera::Error, template: &str) -> Vec<TemplateFault> {
    if let ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) = error.kind() {
        let file = if report.filename().is_empty() { template } else { report.filename() };
        return vec![TemplateFault {
            file: file.to_owned(),
            line: report.span().start_line,
            message: one_line(report.message()),
        }];
    }
    let text = error.to_string();
    let faults: Vec<_> = text.split("\n\n").filter_map(read_report).collect();
    if faults.is_empty() {
        return vec![TemplateFault { file: template.to_owned(), line: 0, message: one_line(&text) }];
    }
    faults
}

fn read_report(report: &str) -> Option<TemplateFault> {
    let message = report.lines().find_map(|line| line.strip_prefix("error: "))?;
    let place = report.lines().find_map(|line| line.trim_start().strip_prefix("--> "))?;
    let mut pieces = place.rsplitn(3, ':');
    let (_, line, file) = (pieces.next()?, pieces.next()?, pieces.next()?);
    Some(TemplateFault { file: file.to_owned(), line: line.parse().ok()?, message: message.to_owned() })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
