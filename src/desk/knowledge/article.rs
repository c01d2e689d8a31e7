//! An article and its form: what an engineer reads in the draft letter and writes back below `#kb`.

use crate::address::Address;
use crate::desk::command::fold;
use crate::desk::ticket::Number;
use crate::desk::words::{Category, Language};
use crate::time::Timestamp;
use serde::Serialize;

/// What was learnt from a ticket. One ticket teaches one article, which carries its number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Article {
    pub ticket: Number,
    pub state: State,
    pub language: Language,
    pub category: Category,
    #[serde(flatten)]
    pub parts: Parts,
    /// The engineer who answers for it; `None` while nobody has published it.
    pub owner: Option<Address>,
    pub drafted: Timestamp,
    pub published: Option<Timestamp>,
    /// When its owner is asked whether it still holds.
    pub review: Option<Timestamp>,
    /// Grows by one with every change.
    pub version: i64,
    /// How often it was shown to a requester and what they said; counted by the store, not kept in the article.
    pub shown: i64,
    pub helped: i64,
    pub not_helped: i64,
}

/// How far an article is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written by the desk from the timeline; nobody finds it.
    Draft,
    /// An engineer answers for it.
    Published,
    /// Not worth publishing, or no longer right.
    Retired,
}

impl State {
    pub const ALL: [State; 3] = [State::Draft, State::Published, State::Retired];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Published => "published",
            State::Retired => "retired",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// The parts of an article (`domain.md` 7.1, A4); any but the title and the solution may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    pub title: String,
    pub symptom: String,
    pub diagnosis: String,
    pub solution: String,
    /// Where it holds.
    pub scope: String,
    pub prevention: String,
    /// Between blanks.
    pub keywords: String,
}

/// Characters of one part.
const PART: usize = 4_000;
const TITLE: usize = 120;

/// Which part, its names: the Chinese one first, then the English one, then what people also write.
const NAMES: [&[&str]; 7] = [
    &["标题", "title", "主题"],
    &["现象", "symptom", "症状", "故障现象", "问题现象", "symptoms", "problem"],
    &["诊断", "diagnosis", "原因", "诊断步骤", "排查", "排查步骤", "cause"],
    &["解决办法", "solution", "解决", "解决方法", "解决方案", "处理方法", "fix", "resolution"],
    &["适用范围", "scope", "适用", "范围", "applies to"],
    &["预防", "prevention", "预防措施"],
    &["关键词", "keywords", "关键字", "keyword"],
];

impl Parts {
    fn all(&self) -> [&String; 7] {
        [&self.title, &self.symptom, &self.diagnosis, &self.solution, &self.scope, &self.prevention, &self.keywords]
    }

    fn all_mut(&mut self) -> [&mut String; 7] {
        [
            &mut self.title,
            &mut self.symptom,
            &mut self.diagnosis,
            &mut self.solution,
            &mut self.scope,
            &mut self.prevention,
            &mut self.keywords,
        ]
    }

    /// The parts with something in them, by their names.
    pub fn named(&self, language: Language) -> Vec<(&'static str, &str)> {
        let parts = NAMES.iter().zip(self.all()).filter(|(_, text)| !text.is_empty());
        parts.map(|(names, text)| (shown(names, language), text.as_str())).collect()
    }

    /// What helps a requester: without the engineers' steps, and without what only the search needs.
    pub fn for_requesters(&self) -> Parts {
        let (title, diagnosis, scope, keywords) = Default::default();
        Parts { title, diagnosis, scope, keywords, ..self.clone() }
    }

    /// Everything as a form that [`Parts::edit`] reads, empty parts included.
    pub fn form(&self, language: Language) -> String {
        let colon = language.pick("：", ": ");
        let lines = NAMES.iter().zip(self.all()).map(|(names, text)| {
            let apart = if text.contains('\n') { "\n" } else { "" };
            format!(
                "{}{}{apart}{text}",
                shown(names, language),
                if apart.is_empty() { colon } else { colon.trim_end() }
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Takes in what an engineer wrote: parts under their names; a text without any name is the solution. What they do not
    /// mention stays.
    pub fn edit(&mut self, text: &str) {
        let mut given: [Option<String>; 7] = Default::default();
        let mut at = 3;
        for line in text.lines() {
            let rest = match named(line) {
                Some((part, rest)) => {
                    at = part;
                    given[at].get_or_insert_default();
                    rest
                }
                None => line,
            };
            if given[at].is_none() && rest.trim().is_empty() {
                continue;
            }
            let part = given[at].get_or_insert_default();
            if !part.is_empty() {
                part.push('\n');
            }
            part.push_str(rest.trim_end());
        }
        for (part, given) in self.all_mut().into_iter().zip(given) {
            if let Some(given) = given {
                *part = given.trim().to_owned();
            }
        }
        self.bound();
    }

    /// Each part through this, and cut.
    pub fn map(&mut self, change: impl Fn(&str) -> String) {
        for part in self.all_mut() {
            *part = change(part);
        }
        self.bound();
    }

    fn bound(&mut self) {
        self.title = self.title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE).collect();
        self.keywords = self
            .keywords
            .split(|c: char| c.is_whitespace() || "，,、;；".contains(c))
            .filter(|word| !word.is_empty())
            .take(20)
            .collect::<Vec<_>>()
            .join(" ");
        for part in self.all_mut() {
            if part.chars().count() > PART {
                *part = part.chars().take(PART).collect();
            }
        }
    }
}

fn shown(names: &'static [&'static str], language: Language) -> &'static str {
    match language {
        Language::Chinese => names[0],
        Language::English => match names[1] {
            "title" => "Title",
            "symptom" => "Symptom",
            "diagnosis" => "Diagnosis",
            "solution" => "Solution",
            "scope" => "Scope",
            "prevention" => "Prevention",
            _ => "Keywords",
        },
    }
}

/// The part that a line begins, and what stands behind its name: `解决：…`, `【现象】…`, `* Solution: …`.
fn named(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "-*•>【[".contains(c));
    let end = line.char_indices().find(|(_, c)| "：:】]".contains(*c)).map(|(at, _)| at).filter(|at| *at <= 40)?;
    let word = fold(&line[..end]);
    let part = NAMES.iter().position(|names| names.contains(&word.trim_matches(['*', ' '])))?;
    Some((part, line[end..].trim_start_matches(|c: char| "：:】]*".contains(c)).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        Parts {
            title: "打印机卡纸".into(),
            symptom: "一直卡纸".into(),
            diagnosis: "1. 看了搓纸轮\n2. 换了一个".into(),
            solution: "换搓纸轮".into(),
            scope: "硬件".into(),
            prevention: String::new(),
            keywords: "打印机 卡纸".into(),
        }
    }

    #[test]
    fn a_form_is_read_back_as_it_was() {
        for language in [Language::Chinese, Language::English] {
            let form = parts().form(language);
            let mut read = Parts::default();
            read.edit(&form);
            assert_eq!(read, parts(), "{form}");
        }
    }

    #[test]
    fn only_what_is_mentioned_changes() {
        let check = |text: &str, change: &dyn Fn(&mut Parts)| {
            let (mut edited, mut expect) = (parts(), parts());
            edited.edit(text);
            change(&mut expect);
            assert_eq!(edited, expect, "{text}");
        };
        check("", &|_| {});
        check("\n  \n", &|_| {});
        check("换了搓纸轮和分页垫", &|p| p.solution = "换了搓纸轮和分页垫".into());
        check("解决：换了\n两个轮子\n\n预防：每季度清洁", &|p| {
            (p.solution, p.prevention) = ("换了\n两个轮子".into(), "每季度清洁".into());
        });
        check("【标题】 卡纸\n**Solution:** new roller", &|p| {
            (p.title, p.solution) = ("卡纸".into(), "new roller".into());
        });
        check("Prevention:\n- clean it\n- twice a year", &|p| p.prevention = "- clean it\n- twice a year".into());
        check("关键词：卡纸，搓纸轮、roller", &|p| p.keywords = "卡纸 搓纸轮 roller".into());
        check("诊断：", &|p| p.diagnosis = String::new());
        check("时间：14:00 换的", &|p| p.solution = "时间：14:00 换的".into());
    }

    #[test]
    fn endless_parts_are_bounded() {
        let mut edited = Parts::default();
        edited.edit(&format!("标题：{}\n解决：{}", "长".repeat(9_000), "长\n".repeat(9_000)));
        assert!(edited.title.chars().count() <= TITLE && edited.solution.chars().count() <= PART);
    }
}
