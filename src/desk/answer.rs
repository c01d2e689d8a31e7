//! What a requester's short answer to "is it solved, are you satisfied?" means (`domain.md` 5.4 and 5.3).
//!
//! Only clear words change a ticket. A bare `1` or `A` counts only on a line of its own, a rating word only in a short
//! answer, in its first clause or alone on a line: in the middle of a story it is part of the story.

use crate::desk::triage::fold;
use crate::desk::words::Rating;
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Rated(Rating),
    /// Solved, without a rating.
    Confirmed,
    NotSolved,
    /// Thanks, received, or no words at all: polite, and nothing else.
    Polite,
    /// An answer, but not a clear one: a question, a condition, two different ratings.
    Ambiguous,
    /// Something else: the text is simply a message.
    Other,
}

/// What short words on a ticket in work propose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It works again.
    Solved,
    /// It is not wanted any more.
    Withdrawn,
}

/// Phrases that withdraw a request, besides those below that also end a resolved one.
const WITHDRAWN: &[&str] = &[
    "不用了",
    "不用处理",
    "不需要处理",
    "不需要了",
    "不用管了",
    "不用修了",
    "不用麻烦了",
    "不必了",
    "不必处理",
    "先不用了",
    "取消吧",
    "取消申请",
    "取消这个",
    "撤单",
    "never mind",
    "nevermind",
    "please ignore",
    "disregard",
    "cancel my request",
    "cancel the request",
    "cancel this",
    "cancel it",
    "please cancel",
    "no longer need",
    "no longer needed",
    "not needed any more",
    "not needed anymore",
    "don't need it any more",
    "don't need it anymore",
    "forget it",
    "forget about it",
];

/// What the new words of a requester wish for a ticket in work; `None`: they are a message like any other. Nothing follows
/// from it but a question to the engineer.
pub fn wish(text: &str) -> Option<Wish> {
    let lines = lines(text);
    let found: Vec<(Mark, &str)> =
        lines.iter().flat_map(|l| found(l)).map(|(mark, phrase, _)| (mark, phrase)).collect();
    let doubtful = |(mark, _): &(Mark, &str)| matches!(mark, NotSolved | Asked | Condition | But | Partly);
    let whole: usize = lines.iter().map(|line| columns(line)).sum();
    if whole > SHORT_COLUMNS || says_more(text) || found.iter().any(doubtful) {
        return None;
    }
    let withdrawn = |line: &String| {
        WITHDRAWN.iter().any(|phrase| line.match_indices(phrase).any(|(at, _)| is_word(line, &(at..at + phrase.len()))))
    };
    // 算了 alone; not 结算了, 打算了.
    let given_up = |line: &String| line.split([',', '.', '。', '!', ';', ' ']).any(|clause| clause.starts_with("算了"));
    // "Confirmed" may be the answer to whatever the engineer asked.
    let solved = |(mark, phrase): &(Mark, &str)| {
        *mark == Confirmed && !phrase.starts_with("确认") && !phrase.contains("confirm")
    };
    match (lines.iter().any(|line| withdrawn(line) || given_up(line)), found.iter().any(solved)) {
        (true, _) => Some(Wish::Withdrawn),
        (false, true) => Some(Wish::Solved),
        _ => None,
    }
}

/// So much of a text is read.
const READ_BYTES: usize = 8 * 1024;
const READ_LINES: usize = 60;
/// An answer of up to so many columns (a Chinese character counts two) is short: all of it is about the question.
const SHORT_COLUMNS: usize = 90;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Grade(Rating),
    Confirmed,
    NotSolved,
    Partly,
    /// To solve: says something only when it is negated.
    Verb,
    /// Ok, fine: polite, and nothing else.
    Vague,
    /// Thanks, received: as vague, and whoever is thanked may stand beside it.
    Thanks,
    /// Yes or no, to whichever question.
    YesNo,
    Asked,
    Condition,
    /// Takes back some of what is said beside it, and says nothing alone.
    But,
    /// Neither good nor bad: hides a shorter term inside.
    Nothing,
}

use Mark::{Asked, But, Condition, Confirmed, Grade, NotSolved, Nothing, Partly, Thanks, Vague, Verb, YesNo};
use Rating::{Dissatisfied, Mostly, Satisfied};

const PHRASES: &[(Mark, &str)] = &[
    (
        Grade(Dissatisfied),
        "不满意|很不满意|非常不满|非常不满意|不太满意|不是很满意|不是太满意|不怎么满意|不够满意|没有满意|极不满意|很失望|失望|差评|太差|很差|非常差|\
         态度差|dissatisfied|very dissatisfied|unsatisfied|not satisfied|not very satisfied|not at all satisfied|not happy|\
         unhappy|not really satisfied|not too happy|disappointed|unsatisfactory|not good|poor|very poor|bad|very bad|terrible|awful|not great",
    ),
    (
        Grade(Mostly),
        "基本满意|比较满意|还算满意|大致满意|总体满意|基本上满意|还可以|还行|一般|凑合|马马虎虎|一般般|mostly satisfied|fairly satisfied|\
         somewhat satisfied|reasonably satisfied|so so|acceptable|not bad|it's ok|it is ok|quite ok|mostly happy|average|fairly good",
    ),
    (
        Grade(Satisfied),
        "非常满意|很满意|十分满意|特别满意|满意|挺满意|挺好|很好|非常好|太好了|好评|五星|点赞|给个赞|赞|很棒|不错|satisfied|very satisfied|fully satisfied|\
         completely satisfied|happy with|very happy|great|excellent|perfect|very good|awesome|well done|great job|good job",
    ),
    (
        Confirmed,
        "已解决|解决了|已经解决|问题解决|已经好了|好了|可以了|能用了|可以用了|正常了|恢复正常|恢复了|已恢复|修好了|搞定了|搞定|没问题了|没有问题了|确认|确认解决|\
         确认已解决|可以正常使用|使用正常|一切正常|可以关闭|请关闭|可以结单|confirmed|i confirm|confirm|it works|works now|works fine|working now|working fine|\
         working again|is working|all good|不用了|不用处理了|不需要了|不用管了|取消吧|取消申请|撤单|误报|never mind|nevermind|please ignore|false alarm|\
         cancel my request|cancel the request|cancel it|please cancel|no longer needed|problem solved|solved|resolved|issue resolved|fixed|fixed it|it's fixed|is fixed|can be closed|please close|you can close",
    ),
    (
        NotSolved,
        "没解决|没有解决|未解决|还没解决|还未解决|没有完全解决|没好|没有好|还没好|还是没好|不行|还是不行|还不行|仍不行|依旧不行|依然不行|仍然不行|又坏了|又不行|又出现|又断|又死机|又蓝屏|又卡|\
         还是不能|还是打不开|还是连不上|还是报错|还是老样子|还是一样|还是没|还有问题|还是有问题|仍有问题|仍然有问题|依旧有问题|仍然|依旧|解决不了|没修好|没有恢复|\
         没恢复|未恢复|没有恢复正常|不能正常使用|无法使用|用不了|没用|没有用|问题依旧|问题还在|未能解决|没能解决|重新打开|不是已解决|并未|未修复|不好使|不可以|不正常|\
         not solved|not resolved|not fixed|not working|isn't working|is not working|isn't fixed|isn't resolved|isn't solved|not yet|not yet resolved|not yet fixed|\
         still not|still not working|still doesn't|still does not|still cannot|still can't|still broken|still the same|still having|still happening|doesn't work|does not work|\
         didn't work|did not work|did not help|didn't help|didn't fix|did not fix|hasn't been fixed|hasn't been resolved|happened again|came back|come back|is back|same problem|same issue|same error|\
         no change|problem persists|issue persists|unresolved|unsolved|reopen|re open|not confirmed|never worked|no longer works|not really",
    ),
    (Verb, "解决|修复|恢复|处理好|修好|work|fix|solve"),
    (
        Partly,
        "没有不满意|没有什么不满意|并非不满意|谈不上不满意|谈不上满意|not dissatisfied|not unhappy|部分解决|解决了一半|好了一半|\
         解决了一部分|基本解决|partially|partly|half solved|half fixed|only half|almost solved|almost fixed|almost there",
    ),
    (
        Vague,
        "好的|好滴|好嘞|好哒|嗯|嗯嗯|哦|行|可以|ok|okay|k|好|知道了|已知|知悉|已阅|了解|明白|没事|got it|sure|fine|good|will do|👍",
    ),
    (
        Thanks,
        "收到|已收到|收到了|谢谢|多谢|感谢|非常感谢|十分感谢|万分感谢|辛苦|辛苦了|麻烦了|thanks|thank you|many thanks|thx|ty|cheers|\
         much appreciated|appreciate it|appreciated|received|noted",
    ),
    (YesNo, "yes|yep|是|是的|对|对的|no|nope|不|不是"),
    (Asked, "?|吗|是否|是不是|有没有|怎么评价|如何评价|呢|when will|can you tell|could you tell"),
    (
        Condition,
        "的话|如果|假如|要是|若|除非|等到|等我|之后再|再评价|再确认|再说|if|unless|until|once|when i|will confirm|will check|will test|will let you know|later",
    ),
    (But, "但是|但|不过|可是|只是|然而|一半|but|however|though|although|except|half|almost"),
    (
        Nothing,
        "满意度|满意率|满意度调查|satisfaction|确认一下|确认下|请确认|待确认|please confirm|to confirm|\
         不好意思|没关系|不客气|好像|好几|好多|只好|正好|刚好|最好|好久|行政|银行|进行|执行|运行|自行|一般来说|一般情况|一般都|一般在|一般是|general|bad sector|\
         没用过|好了没|好了没有|解决了没|解决了没有|行不行|可以不可以|可不可以|great britain|no problem at all|no worries",
    ),
];

/// Bare marks, on a line of their own.
const BARE: &[(&str, Rating)] =
    &[("1", Satisfied), ("a", Satisfied), ("2", Mostly), ("b", Mostly), ("3", Dissatisfied), ("c", Dissatisfied)];

/// What may stand before a mark on such a line.
const LEADS: &[&str] = &[
    "我的评价是",
    "我的评价",
    "我选择",
    "我选",
    "选择",
    "选",
    "评价",
    "评分",
    "打分",
    "满意度",
    "回复",
    "答案",
    "答",
    "结果",
    "option",
    "my rating is",
    "my rating",
    "rating",
    "my answer",
    "answer",
    "i choose",
];

/// Reads an answer; the caller passes the new text only, never the quoted question.
pub fn read(text: &str) -> Answer {
    let lines = without_echo(lines(text));
    let whole: usize = lines.iter().map(|l| columns(l)).sum();
    if lines.is_empty() {
        return Answer::Other;
    }
    let marks: Vec<Mark> = if whole <= SHORT_COLUMNS {
        lines.iter().flat_map(|line| line_marks(line)).collect()
    } else {
        long_marks(&lines)
    };
    let polite = whole <= SHORT_COLUMNS && lines.iter().all(|l| is_polite(l));
    verdict(&marks, polite, &lines)
}

/// `满意吗？不太满意`: the question said again before its answer is no question of theirs.
fn without_echo(lines: Vec<String>) -> Vec<String> {
    let about_it =
        |text: &str| found(text).iter().any(|(m, _, _)| matches!(m, Grade(_) | Confirmed | NotSolved | Verb));
    let answer_of = |line: &String| {
        let (question, answer) = line.split_once('?')?;
        (about_it(question) && about_it(answer)).then(|| answer.trim().to_owned())
    };
    lines.into_iter().map(|line| answer_of(&line).unwrap_or(line)).collect()
}

/// More is said than the answer: another fault, a story, praise. Somebody should read it.
pub fn says_more(text: &str) -> bool {
    const ALSO: &[&str] = &[
        "另外",
        "还有",
        "顺便",
        "此外",
        "对了",
        "再帮",
        "再请",
        "麻烦再",
        "also",
        "another",
        "by the way",
        "btw",
        "besides",
        "additionally",
        "one more",
        "but",
        "但",
        "不过",
    ];
    let lines = lines(text);
    let whole: usize = lines.iter().map(|l| columns(l)).sum();
    let also = |line: &String| {
        ALSO.iter().any(|word| line.match_indices(word).any(|(at, _)| is_word(line, &(at..at + word.len()))))
    };
    whole > SHORT_COLUMNS / 2 || lines.iter().any(also)
}

/// A rating and nothing else: it gives no reason.
pub fn is_bare(text: &str) -> bool {
    let lines = lines(text);
    lines.iter().all(|line| !lone_grades(line).is_empty() || is_polite(line))
}

/// In a long text: the first clause, and lines that are nothing but a rating.
fn long_marks(lines: &[String]) -> Vec<Mark> {
    let first = lines[0].split([',', '。', '!', ';', '.', '~']).next().unwrap_or("");
    let lead = if columns(first) <= SHORT_COLUMNS / 3 { line_marks(first) } else { Vec::new() };
    // A story is no confirmation: of its opening only a clear word counts.
    let clear = |m: &Mark| matches!(m, Grade(_) | NotSolved | Confirmed | Asked | Condition);
    let alone = lines.iter().skip(1).flat_map(|line| lone_grades(line)).map(Grade);
    lead.into_iter().filter(clear).chain(alone).collect()
}

fn verdict(marks: &[Mark], polite: bool, lines: &[String]) -> Answer {
    let has = |mark: Mark| marks.contains(&mark);
    let mut grades: Vec<Rating> = marks.iter().filter_map(|m| if let Grade(r) = m { Some(*r) } else { None }).collect();
    grades.sort_unstable();
    grades.dedup();
    let unclear = has(Asked) || has(Condition);
    match grades.as_slice() {
        [_, _, ..] => Answer::Ambiguous,
        [_] if unclear => Answer::Ambiguous,
        [Dissatisfied] => Answer::Rated(Dissatisfied),
        [_] if has(NotSolved) => Answer::Ambiguous,
        [grade] => Answer::Rated(*grade),
        [] if has(NotSolved) && has(Asked) => Answer::Ambiguous,
        [] if has(NotSolved) => Answer::NotSolved,
        [] if has(Confirmed) && (unclear || has(But) || has(Partly)) => Answer::Ambiguous,
        [] if has(Confirmed) => Answer::Confirmed,
        [] if polite && is_thanks_for_receipt(lines) => Answer::Confirmed,
        [] if polite && (has(Asked) || has(YesNo)) => Answer::Ambiguous,
        [] if polite => Answer::Polite,
        [] if has(Partly) || is_thanks_to_somebody(marks, lines) => Answer::Ambiguous,
        [] => Answer::Other,
    }
}

/// `收到，谢谢` closes the matter politely (`domain.md` 5.4, row 4); either word alone does not.
fn is_thanks_for_receipt(lines: &[String]) -> bool {
    let said = |word: &str| lines.iter().any(|l| l.contains(word));
    said("收到") && (said("谢") || said("辛苦"))
}

/// `谢谢李工`, `Thanks Li`: a name, or too little to tell.
fn is_thanks_to_somebody(marks: &[Mark], lines: &[String]) -> bool {
    let rest = |line: &String| without_politeness(line).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    marks.contains(&Thanks) && lines.iter().map(|line| columns(&rest(line))).sum::<usize>() <= 12
}

fn without_politeness(line: &str) -> String {
    let mut rest = line.to_owned();
    for (found, _, range) in found(line) {
        if matches!(found, Vague | Thanks | YesNo) {
            rest.replace_range(range.clone(), &" ".repeat(range.len()));
        }
    }
    rest
}

/// Nothing but politeness, punctuation and pictures.
fn is_polite(line: &str) -> bool {
    let rest = without_politeness(line);
    !rest.chars().any(char::is_alphanumeric) || matches!(rest.trim(), "了" | "您" | "你" | "啦" | "you" | "很" | "非常")
}

fn lines(text: &str) -> Vec<String> {
    let mut end = text.len().min(READ_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].lines().map(fold).filter(|l| !l.is_empty()).take(READ_LINES).collect()
}

fn columns(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// A rating alone on its line: `1`, `A`, `评价：满意`, `2 基本满意`. Two when mark and word differ: `1 不满意`.
fn lone_grades(line: &str) -> Vec<Rating> {
    let trim = |s: &str| s.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let mut rest = trim(line);
    if let Some(lead) = LEADS.iter().find(|lead| rest.starts_with(**lead)) {
        rest = trim(&rest[lead.len()..]);
    }
    for thanks in ["谢谢", "多谢", "感谢", "thanks", "thank you", "thx"] {
        rest = trim(rest.strip_suffix(thanks).unwrap_or(&rest));
    }
    let bare = |word: &str| BARE.iter().find(|(mark, _)| *mark == word).map(|(_, rating)| *rating);
    if let Some(rating) = bare(&rest) {
        return vec![rating];
    }
    let (head, tail) = rest.split_once(|c: char| !c.is_alphanumeric()).unwrap_or(("", &rest));
    let word = if head.len() == 1 && bare(head).is_some() { trim(tail) } else { rest.clone() };
    let whole = |(mark, _, range): (Mark, &str, Range<usize>)| match mark {
        Grade(rating) if range.len() == word.len() => Some(rating),
        _ => None,
    };
    let Some(rating) = found(&word).into_iter().find_map(whole) else { return Vec::new() };
    bare(head).filter(|mark| *mark != rating).into_iter().chain([rating]).collect()
}

fn line_marks(line: &str) -> Vec<Mark> {
    let grades = lone_grades(line);
    if !grades.is_empty() {
        let asked = found(line).into_iter().map(|(mark, _, _)| mark).filter(|m| *m == Asked);
        return grades.into_iter().map(Grade).chain(asked).collect();
    }
    found(line).into_iter().map(|(mark, _, _)| mark).collect()
}

/// Every phrase, folded, longest first, and what finds them all in one pass.
struct Phrases {
    marks: Vec<(Mark, String)>,
    finder: AhoCorasick,
}

static ALL: LazyLock<Phrases> = LazyLock::new(|| {
    let each = |(mark, list): &(Mark, &'static str)| list.split('|').map(|p| (*mark, fold(p))).collect::<Vec<_>>();
    let mut marks: Vec<(Mark, String)> = PHRASES.iter().flat_map(each).collect();
    marks.sort_by_key(|(_, phrase)| std::cmp::Reverse(phrase.len()));
    let finder = AhoCorasick::new(marks.iter().map(|(_, phrase)| phrase)).expect("a few hundred phrases");
    Phrases { marks, finder }
});

/// The phrases of a folded line in their order there; of two that overlap only the longer.
fn found(line: &str) -> Vec<(Mark, &'static str, Range<usize>)> {
    let mut matches: Vec<_> = ALL.finder.find_overlapping_iter(line).map(|m| (m.pattern(), m.range())).collect();
    matches.sort_unstable_by_key(|(pattern, range)| (*pattern, range.start));
    let mut taken: Vec<(Mark, &'static str, Range<usize>)> = Vec::new();
    for (pattern, range) in matches {
        let free = !taken.iter().any(|(_, _, t)| t.start < range.end && range.start < t.end);
        if free && is_word(line, &range) {
            let (mark, phrase) = &ALL.marks[pattern];
            taken.push((*mark, phrase, range));
        }
    }
    taken.sort_by_key(|(_, _, range)| range.start);
    taken.into_iter().map(|(mark, phrase, range)| (negated(line, mark, range.start), phrase, range)).collect()
}

fn is_word(line: &str, range: &Range<usize>) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let first = line[range.clone()].chars().next();
    let last = line[range.clone()].chars().next_back();
    let glued_before = latin(first) && latin(line[..range.start].chars().next_back());
    let glued_after = latin(last) && latin(line[range.end..].chars().next());
    !glued_before && !glued_after
}

/// A negation within four characters (or two words) before turns a good word: `没有真正解决`, `isn't really fixed`.
fn negated(line: &str, mark: Mark, at: usize) -> Mark {
    let clause = line[..at].rsplit([',', '。', '!', ';', '.', '?']).next().unwrap_or("");
    let near: String = clause.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let chinese = near.contains(['没', '未', '不', '别']) && !near.contains("不错") && !near.contains("没想到");
    let words: Vec<&str> = clause.split_whitespace().rev().take(3).collect();
    let english = words.iter().any(|w| matches!(*w, "not" | "never" | "no" | "hardly") || w.ends_with("n't"));
    match mark {
        _ if !chinese && !english => mark,
        Grade(Satisfied) => Grade(Dissatisfied),
        Confirmed | Verb => NotSolved,
        // "Not dissatisfied", "no longer broken": not clear enough to act on.
        Grade(Dissatisfied) | Grade(Mostly) | NotSolved => Condition,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(want: Answer, texts: &[&str]) {
        for text in texts {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn satisfied() {
        check(
            Answer::Rated(Satisfied),
            &[
                "满意",
                "非常满意！",
                "很满意，谢谢",
                "1",
                "１",
                "①",
                "A",
                "a",
                "满意。",
                "【满意】",
                "评价：满意",
                "我选 1",
                "1 满意",
                "挺好",
                "Very satisfied",
                "Satisfied, thanks!",
                "Excellent!",
                "Perfect, thank you",
                "满意\n\n谢谢",
                "已解决，满意",
                "滿意",
                "好评",
                "点赞👍",
                "1，谢谢",
                "非常满意，谢谢小王的耐心",
            ],
        );
    }

    #[test]
    fn mostly_satisfied() {
        check(
            Answer::Rated(Mostly),
            &[
                "基本满意",
                "２",
                "②",
                "b",
                "还可以",
                "一般",
                "凑合",
                "还行吧",
                "比较满意",
                "mostly satisfied",
                "So-so",
                "not bad",
                "基本满意，但有点慢",
            ],
        );
    }

    #[test]
    fn dissatisfied() {
        check(
            Answer::Rated(Dissatisfied),
            &[
                "不满意",
                "很不满意",
                "3",
                "③",
                "C",
                "不太满意",
                "不是很满意",
                "不怎么满意",
                "太差了",
                "差评！",
                "Not satisfied",
                "dissatisfied",
                "unhappy",
                "I am not very satisfied.",
                "不滿意",
                "不满意，还是打不开",
                "没有让我满意",
            ],
        );
    }

    #[test]
    fn confirmed() {
        check(
            Answer::Confirmed,
            &[
                "已解决",
                "好了",
                "可以了，谢谢",
                "问题解决了",
                "确认",
                "没问题了",
                "收到，谢谢",
                "已收到，感谢！",
                "打印机已经好了",
                "恢复正常",
                "It works",
                "Thanks, that fixed it",
                "取消吧，不用了",
                "never mind, I fixed it myself",
                "please cancel my request",
                "误报，不用处理了",
                "Confirmed.",
                "works now, thank you",
                "已經好了",
                "Resolved",
            ],
        );
    }

    #[test]
    fn not_solved() {
        check(
            Answer::NotSolved,
            &[
                "还没好",
                "还是不行",
                "没解决",
                "没有解决",
                "未恢复",
                "又坏了",
                "解决不了",
                "没有恢复正常",
                "并未解决",
                "还是打不开",
                "问题依旧",
                "Not resolved",
                "still not working",
                "It isn't fixed",
                "The problem came back",
                "happened again",
                "no, it does not work",
                "没有真正解决",
                "isn't really fixed",
                "还是不行，谢谢",
                "不要取消申请",
            ],
        );
    }

    #[test]
    fn polite() {
        check(
            Answer::Polite,
            &[
                "非常感谢",
                "Many thanks!",
                "辛苦了，谢谢",
                "Noted, thanks",
                "。",
                "收到",
                "谢谢",
                "ok",
                "OK!",
                "嗯",
                "👍",
                "🙏🙏",
                "好的",
                "thanks",
                "Thank you!",
                "知道了",
            ],
        );
    }

    #[test]
    fn the_question_said_again_is_no_question() {
        check(Answer::Rated(Dissatisfied), &["满意吗？不太满意", "满意？不满意！", "Satisfied? Not really satisfied."]);
        check(Answer::Rated(Satisfied), &["满意吗？满意"]);
        check(Answer::NotSolved, &["解决了吗？还没好", "Is it solved? Still not working"]);
        check(Answer::Ambiguous, &["满意吗？", "满意，什么时候换新的？", "好了吗？不满意的话怎么办"]);
    }

    #[test]
    fn what_else_is_said() {
        for text in ["满意，另外键盘也坏了", "基本满意，但有点慢", "Great! Also the screen flickers", "还有一个问题"]
        {
            assert!(says_more(text), "{text}");
        }
        for text in ["满意", "非常满意，谢谢小王的耐心", "Perfect, thank you", "1", "", "It works now, thanks Li"]
        {
            assert!(!says_more(text), "{text}");
        }
    }

    #[test]
    fn ambiguous() {
        check(
            Answer::Ambiguous,
            &[
                "谢谢李工",
                "Thanks Li!",
                "谢谢，还有键盘",
                "no",
                "不",
                "是的",
                "？",
                "满意吗？",
                "不满意的话怎么办",
                "满意 基本满意 不满意",
                "1\n2",
                "1 满意 2 基本满意 3 不满意",
                "1 不满意",
                "解决了吗？",
                "如果明天不再出现就满意",
                "will confirm tomorrow if it works",
                "没有不满意",
                "可以了，不过打印有点慢",
                "基本满意，但是还是不行",
                "部分解决",
                "解决了一半",
                "Almost there",
                "一半能用了",
                "Almost everything works now",
                "half of the printers are working again",
                "不满意？",
            ],
        );
    }

    #[test]
    fn other() {
        check(
            Answer::Other,
            &[
                "",
                "请问进度如何",
                "麻烦再装一个 WPS",
                "3台电脑",
                "1. 打印机\n2. 键盘",
                "Please also install Visio",
                "It started dropping again today, about every half hour.",
                "下载到一半就断开",
                "我下午在办公室",
                "8012",
                "C盘满了",
                "A栋3楼",
                "满意度调查什么时候做",
            ],
        );
    }

    #[test]
    fn wishes_on_a_ticket_in_work() {
        let check = |wish_: Option<Wish>, texts: &[&str]| {
            for text in texts {
                assert_eq!(wish(text), wish_, "{text}");
            }
        };
        check(
            Some(Wish::Solved),
            &[
                "已经好了",
                "好了，谢谢！",
                "刚才自己好了",
                "打印机恢复正常了",
                "It works now, thanks",
                "Fixed!",
                "可以了",
                "问题解决了，麻烦了",
            ],
        );
        check(
            Some(Wish::Withdrawn),
            &[
                "不用处理了",
                "不用了，谢谢",
                "算了",
                "先不用了",
                "取消吧",
                "Never mind",
                "nevermind, thanks",
                "Please cancel",
                "No longer needed.",
            ],
        );
        check(
            None,
            &[
                "",
                "谢谢",
                "收到，谢谢",
                "确认",
                "confirmed",
                "还没好",
                "还是不行",
                "好了吗？",
                "如果今天修好了就不用来了",
                "可以了，不过打印很慢",
                "打印机好了，另外键盘坏了",
                "不用了，不过请帮我装 WPS",
                "8012",
                "我下午在办公室",
                "结算了没有",
            ],
        );
    }

    #[test]
    fn a_story_does_not_misfire() {
        let story = "您好，上次客户对我们的演示非常满意，不过这次的会议室投影仪插上之后没有画面，我换了两根线也是一样，麻烦安排同事过来看看，会议下午三点开始，地点在A栋三楼第一会议室。";
        check(
            Answer::Other,
            &[
                story,
                "Last week our customer was very satisfied with the demo, but now the projector in room 3 shows nothing and I have tried two cables already, could you send somebody before three o'clock?",
            ],
        );
        check(Answer::Rated(Satisfied), &[&format!("满意，谢谢！\n{story}"), &format!("{story}\n\n评价：1\n{story}")]);
        check(Answer::Rated(Dissatisfied), &[&format!("不满意。{story}")]);
    }

    #[test]
    fn s01_long_and_odd_input_is_safe() {
        for text in ["满".repeat(100_000), "\u{200b}".repeat(10_000), "1\n".repeat(50_000), "ｎｏｔ ".repeat(9_000)]
        {
            read(&text);
        }
    }
}
