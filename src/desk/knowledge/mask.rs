//! What must not stand in an article: who it happened to, how to reach them, and what opens their accounts.
//!
//! | Masked | By what it looks like | By what stands before it |
//! |---|---|---|
//! | mail address | `name@host.tld` | |
//! | phone | Chinese mobile numbers, `010-…` and `0755…`, `400-…`, `+44 …`, two of them in one | 电话, 手机, 分机, phone, ext |
//! | identity card, bank card | 18 digits with a birthday; 16 to 19 digits | 身份证 |
//! | employee number | | 工号, employee number |
//! | password, key, code | five groups of a licence key; long random words behind Bearer | 密码, 口令, 验证码, password, token, PIN … |
//! | name | the ones the ticket knows; 王工, 李经理, Mr Smith | 我是, 我叫, 姓名, my name is |
//!
//! Rather once too often: whoever publishes reads it and can put back what is harmless.

use crate::desk::words::Language;
use regex::{Captures, Regex, RegexBuilder};
use std::sync::LazyLock;

/// Names and numbers that a ticket knows of its people.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub names: Vec<String>,
    pub numbers: Vec<String>,
}

/// What takes the place of what was masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mail,
    Phone,
    Number,
    Employee,
    Secret,
    Name,
}

impl Kind {
    fn shown(self, language: Language) -> &'static str {
        match self {
            Kind::Mail => language.pick("[邮箱]", "[mail address]"),
            Kind::Phone => language.pick("[电话]", "[phone]"),
            Kind::Number => language.pick("[证件或卡号]", "[card number]"),
            Kind::Employee => language.pick("[工号]", "[employee number]"),
            Kind::Secret => language.pick("[密码]", "[secret]"),
            Kind::Name => language.pick("[姓名]", "[name]"),
        }
    }
}

/// Characters that are looked at.
const EXAMINED: usize = 20_000;

/// The text without them.
pub fn mask(text: &str, known: &Known, language: Language) -> String {
    let mut text: String = text.chars().take(EXAMINED).collect();
    text = without_known(text, &known.numbers, Kind::Number, language);
    for (pattern, kind) in PATTERNS.iter() {
        if let std::borrow::Cow::Owned(masked) =
            pattern.replace_all(&text, |found: &Captures| replaced(found, *kind, language))
        {
            text = masked;
        }
    }
    without_known(text, &known.names, Kind::Name, language)
}

/// What a pattern's groups `before`, `after` and `end` hold stays.
fn replaced(found: &Captures, kind: Kind, language: Language) -> String {
    let group = |name| found.name(name).map_or("", |group| group.as_str());
    let hidden = group("hidden");
    if hidden.starts_with('[') {
        return found[0].to_owned();
    }
    format!("{}{}{}{}", group("before"), kind.shown(language), group("after"), group("end"))
}

fn without_known(mut text: String, known: &[String], kind: Kind, language: Language) -> String {
    let mut words: Vec<&str> = known.iter().map(|word| word.trim()).filter(|word| is_telling(word, kind)).collect();
    // The longest first: 张伟 stands in 张伟明.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        let kind = if kind == Kind::Number { number_kind(word) } else { kind };
        text = without_word(&text, word, kind.shown(language));
    }
    text
}

fn number_kind(word: &str) -> Kind {
    if word.contains(|c: char| c.is_ascii_alphabetic()) || word.len() < 7 { Kind::Employee } else { Kind::Phone }
}

/// `IT` as somebody's name would eat the text; a number of two digits, too.
fn is_telling(word: &str, kind: Kind) -> bool {
    let length = word.chars().count();
    match kind {
        Kind::Name => length >= if word.is_ascii() { 3 } else { 2 },
        _ => length >= 4,
    }
}

/// Latin names only as whole words, and without regard to case.
fn without_word(text: &str, word: &str, shown: &str) -> String {
    let pattern = regex::escape(word);
    let pattern = if word.is_ascii() { format!(r"\b{pattern}\b") } else { pattern };
    match RegexBuilder::new(&pattern).case_insensitive(true).build() {
        Ok(pattern) => pattern.replace_all(text, regex::NoExpand(shown)).into_owned(),
        Err(_) => text.to_owned(),
    }
}

static PATTERNS: LazyLock<Vec<(Regex, Kind)>> = LazyLock::new(|| {
    // What a secret may be written in, without blanks and sentence ends.
    let secret = r"[A-Za-z0-9!@#$%^&*_+=~?/.\\|<>-]*[A-Za-z0-9!@#$%^&*_+=~?/\\|<>-]";
    let labels = "密码|口令|密钥|授权码|验证码|校验码|动态码|激活码|序列号|passwords?|passphrase|passwd|pwd|pin(?: code)?|token|secret|api[ _-]?key|licen[cs]e key|verification code|security code|access code";
    [
        // Whole blocks first, then what a label names, then what looks like something.
        (r"(?s)(?P<hidden>-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\z))".to_owned(), Kind::Secret),
        (r"(?i)(?P<before>\b(?:bearer|basic)\s+)(?P<hidden>[A-Za-z0-9+/_.=-]{12,})".to_owned(), Kind::Secret),
        (r"(?P<before>://)(?P<hidden>[^\s/@:]+:[^\s/@]+)(?P<after>@)".to_owned(), Kind::Secret),
        (
            format!(
                r"(?i)(?P<before>(?:{labels})(?:\s*(?:已?(?:改|重置|设|更新)(?:为|成)|默认为?|现在?是|(?:was |has been )?(?:reset|changed|set) to))\s*[：:]?\s*[“‘「'\u{{22}}]?)(?P<hidden>{secret})"
            ),
            Kind::Secret,
        ),
        (
            format!(
                r"(?i)(?P<before>(?:{labels})\s*(?:[：:=＝]|为|是|\bis\b|\bwas\b)\s*[“‘「'\u{{22}}]?)(?P<hidden>{secret})"
            ),
            Kind::Secret,
        ),
        // `密码 Abc@123`, `password Abc123`: no label's end, but no word either.
        (
            format!(
                r"(?i)(?P<before>(?:{labels})\s+[“‘「'\u{{22}}]?)(?P<hidden>[A-Za-z!@#$%^&*_+=~?-]*[0-9][A-Za-z0-9!@#$%^&*_+=~?-]*)"
            ),
            Kind::Secret,
        ),
        (r"(?P<hidden>\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){3,5}\b)".to_owned(), Kind::Secret),
        (r"(?P<hidden>[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)".to_owned(), Kind::Mail),
        (
            r"(?i)(?P<before>(?:工号|员工编号|员工号|人员编号|employee (?:number|no\.?|id)|staff (?:number|no\.?|id)|personnel number)\s*(?:[：:#=]|为|是|\bis\b)?\s*)(?P<hidden>[A-Za-z]{0,4}-?[0-9]{2,12})"
                .to_owned(),
            Kind::Employee,
        ),
        (
            r"(?P<hidden>\b[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]\b)"
                .to_owned(),
            Kind::Number,
        ),
        (r"(?P<before>身份证(?:号码?)?\s*[：:]?\s*)(?P<hidden>[0-9Xx]{15,18})".to_owned(), Kind::Number),
        (r"(?P<hidden>\b[0-9]{4}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?\b)".to_owned(), Kind::Number),
        (
            r"(?i)(?P<before>(?:电话|手机|联系方式|座机|分机|短号|致电|拨打|phone|mobile|cell|tel|ext|extension|call me (?:at|on))\s*(?:号码?|number|no\.?)?\s*(?:[：:.#]|为|是|\bis\b)?\s*)(?P<hidden>\+?[0-9(][0-9()\s-]{2,18}[0-9])"
                .to_owned(),
            Kind::Phone,
        ),
        (r"(?P<hidden>(?:(?:\+|\b00)86[ -]?)?\b1[3-9][0-9](?:[ -]?[0-9]{4}){2}\b)".to_owned(), Kind::Phone),
        (r"(?P<hidden>\b0[1-9][0-9]{1,2}[ -]?[2-9][0-9]{2,3}[ -]?[0-9]{4}(?:[ -]*(?:转|ext\.?)\s*[0-9]{2,6})?\b)".to_owned(), Kind::Phone),
        (r"(?P<hidden>\b[48]00[ -]?[0-9]{3}[ -]?[0-9]{4}\b)".to_owned(), Kind::Phone),
        (r"(?P<hidden>\+[1-9][0-9]{0,2}[ -]?(?:\(?[0-9]{1,4}\)?[ -]?){2,4}[0-9]{2,4}\b)".to_owned(), Kind::Phone),
        (r"(?P<hidden>\b\(?[2-9][0-9]{2}\)?[ -][0-9]{3}-[0-9]{4}\b)".to_owned(), Kind::Phone),
        (
            r"(?P<before>(?:姓名|报障人|联系人|使用人)\s*[：:]\s*)(?P<hidden>[\u4e00-\u9fff·]{2,5}|[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){0,2})"
                .to_owned(),
            Kind::Name,
        ),
        (
            format!(r"(?P<before>(?:我是|我叫|本人|我姓|我们?部门的|[部科组]的?))(?P<hidden>[{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?P<after>[，,。；;！!\s的说反]|$)"),
            Kind::Name,
        ),
        (
            format!(r"(?P<hidden>[{SURNAMES}][\u4e00-\u9fff]{{0,2}}?)(?P<after>工程师|经理|总监|主任|主管|老师|先生|女士|小姐|师傅|会计|部长|处长|科长|组长|店长|同事|同学)"),
            Kind::Name,
        ),
        (
            format!(r"(?P<before>^|[^\u4e00-\u9fff]|[和与请找联系让由是给问])(?P<hidden>[{SURNAMES}])(?P<after>[工总姐哥])(?P<end>$|[^程作具资单会能部位龄厂业况艺期号时伤效种段结计量裁共之体线机表])"),
            Kind::Name,
        ),
        (format!(r"(?P<hidden>[小老][{SURNAMES}])(?P<after>[，,。；;：:！!\s来去说在帮处已把]|$)"), Kind::Name),
        (
            r"(?P<before>\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?\s+)(?P<hidden>[A-Z][A-Za-z'-]+(?: [A-Z][A-Za-z'-]+)?)"
                .to_owned(),
            Kind::Name,
        ),
        (
            r"(?P<before>\b(?i:my name is|this is|i am|i'm|contact|name:)\s+)(?P<hidden>[A-Z][a-z'-]+ [A-Z][A-Za-z'-]+)\b"
                .to_owned(),
            Kind::Name,
        ),
    ]
    .into_iter()
    .map(|(pattern, kind)| (Regex::new(&pattern).expect("a valid pattern"), kind))
    .collect()
});

/// The hundred commonest Chinese family names of one character, without those that mean something else more often.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙朱胡郭何林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘袁董余苏叶吕魏蒋田杜丁沈姜范傅钟卢汪戴崔廖姚邱夏谭韦邹熊孟秦阎薛侯雷龙段郝孔邵史毛顾赖万覃武钱严莫汤尹黎贺龚";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, masked: &str) {
        let known = Known {
            names: vec!["张伟".into(), "Helen Carter".into(), "li.na".into(), "IT".into()],
            numbers: vec!["F10234".into(), "8001".into(), "138 0013 8000".into()],
        };
        let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let language = if chinese { Language::Chinese } else { Language::English };
        assert_eq!(mask(text, &known, language), masked, "{text}");
    }

    fn stays(text: &str) {
        check(text, text);
    }

    #[test]
    fn addresses_and_phones() {
        check("请发给 zhang.wei@corp.example.cn，谢谢", "请发给 [邮箱]，谢谢");
        check("write to o'neil+it@sub.corp.example.", "write to [mail address].");
        check("手机13800138000", "手机[电话]");
        check("打 138 0013 8000 或 +86 139-1234-5678 找我", "打 [电话] 或 [电话] 找我");
        check("座机 010-62345678 转 802", "座机 [电话] 转 802");
        check("电话：0755-8234 5678", "电话：[电话]");
        check("厂商热线 400-810-8888 报修", "厂商热线 [电话] 报修");
        check("分机 8123，短号：66012", "分机 [电话]，短号：[电话]");
        check("phone: 020 7946 0958", "phone: [phone]");
        check("call me at (212) 555-0100 please", "call me at [phone] please");
        check("reach us on +44 20 7946 0958 or ext. 4711", "reach us on [phone] or ext. [phone]");
    }

    #[test]
    fn passwords_and_keys() {
        check("密码：Abc@12345，请修改", "密码：[密码]，请修改");
        check("初始密码是 Welcome1。", "初始密码是 [密码]。");
        check("密码已重置为 Qwe!23", "密码已重置为 [密码]");
        check("密码改成Spring2026!", "密码改成[密码]");
        check("口令=hunter2", "口令=[密码]");
        check("验证码：482913", "验证码：[密码]");
        check("授权码 ABCDEFGHIJKL1234", "授权码 [密码]");
        check("The password is hunter2.", "The password is [secret].");
        check("password: s3cr3t!", "password: [secret]");
        check("your password has been reset to Tr0ub4dor&3", "your password has been reset to [secret]");
        check("PIN: 0000", "PIN: [secret]");
        check("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc", "Authorization: Bearer [secret]");
        check("api_key = 9f8e7d6c5b4a", "api_key = [secret]");
        check("ftp://user:pa55@files.corp.example/x", "ftp://[secret]@files.corp.example/x");
        check("key VK7JG-NPHTM-C97JM-9MPGT-3V66T works", "key [secret] works");
        check("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nnext", "[secret]\nnext");
    }

    #[test]
    fn numbers_of_people() {
        check("工号F10234，身份证110101199003078515", "工号[工号]，身份证[证件或卡号]");
        check("工号：88123", "工号：[工号]");
        check("employee number E-20455 cannot log in", "employee number [employee number] cannot log in");
        check("卡号 6222 0212 3456 7890 123", "卡号 [证件或卡号]");
        check("座位分机是8001", "座位分机是[电话]");
    }

    #[test]
    fn names() {
        check("张伟反映打印机卡纸", "[姓名]反映打印机卡纸");
        check("我是李小明，登录不了", "我是[姓名]，登录不了");
        check("请王工看一下", "请[姓名]工看一下");
        check("联系刘经理开通，陈晓梅女士确认", "联系[姓名]经理开通，[姓名]女士确认");
        check("姓名：欧阳娜娜", "姓名：[姓名]");
        check("小王，麻烦看看", "[姓名]，麻烦看看");
        check("已让赵总重新登录，周工，您好", "已让[姓名]总重新登录，[姓名]工，您好");
        check("Helen Carter and HELEN CARTER called", "[name] and [name] called");
        check("Mr. Smith could not print", "Mr. [name] could not print");
        check("My name is Tom Baker and the VPN fails", "My name is [name] and the VPN fails");
        check("ask li.na about it", "ask [name] about it");
    }

    #[test]
    fn what_helps_others_stays() {
        for text in [
            "错误 0x80070005，补丁 KB5034441，ORA-00942",
            "把 IP 改成 10.0.0.12，端口 9100，掩码 255.255.255.0",
            "升级到 16.0.14332.20303 后恢复",
            "密码过期，请按 Ctrl+Alt+Del 修改密码",
            "忘记密码：请在自助页面重置",
            "重置密码后重新登录",
            "2026-11-23 14:00 重启服务器",
            "打开 \\\\files\\public\\2026 共享文件夹",
            "清理 C 盘 12345678 字节的缓存",
            "工程师检查了工作站和工具栏",
            "The password expired; press Ctrl+Alt+Del to change it",
            "Reset the password on the self-service page",
            "Set DNS to 8.8.8.8 and MTU to 1400",
            "Install version 23.5.1 of the driver",
            "序列号在机身背面",
            "总经理办公室的打印机",
            "请安排施工，员工和人工客服都要张工单",
            "https://wiki.corp.example/it/vpn?page=12",
        ] {
            stays(text);
        }
    }

    #[test]
    fn masking_twice_changes_nothing() {
        for text in ["密码：Abc@12345，手机13800138000，请王工看一下", "PIN: 0000, tel 020 7946 0958, Mr Smith"]
        {
            let once = mask(text, &Known::default(), Language::Chinese);
            assert_eq!(mask(&once, &Known::default(), Language::Chinese), once);
        }
    }

    #[test]
    fn odd_and_endless_texts_are_bounded() {
        for text in
            ["密码：".repeat(50_000), "1".repeat(100_000), "a@".repeat(50_000), "-----BEGIN A-----".repeat(9_000)]
        {
            assert!(mask(&text, &Known::default(), Language::Chinese).chars().count() < 80_000);
        }
        let known = Known { names: vec![".*+(".into(), "  ".into()], numbers: vec![String::new()] };
        assert_eq!(mask("a.*+(b abc", &known, Language::English), "a[name]b abc");
    }
}
