//! The embedded rules on mails of our own making: each trap of `domain.md` 5.3, each row of the matrix, each override.

use super::*;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::builtin);

fn judged(mail: &str) -> Verdict {
    let (subject, text) = mail.split_once(" // ").unwrap_or((mail, ""));
    RULES.triage(subject, text)
}

fn category(want: Category, mails: &[&str]) {
    for mail in mails {
        let verdict = judged(mail);
        assert_eq!(verdict.category, want, "{mail}: {:?}", verdict.matched);
    }
}

fn priority(want: Priority, mails: &[&str]) {
    for mail in mails {
        let verdict = judged(mail);
        assert_eq!(verdict.priority, want, "{mail}: {:?} {:?}", verdict.impact, verdict.matched);
    }
}

fn impact(want: Impact, mails: &[&str]) {
    for mail in mails {
        let verdict = judged(mail);
        assert_eq!(verdict.impact, want, "{mail}: {:?}", verdict.matched);
    }
}

fn never(points_to: &str, mails: &[&str]) {
    for mail in mails {
        let verdict = judged(mail);
        assert!(!verdict.matched.iter().any(|t| t.points_to == points_to), "{mail}: {:?}", verdict.matched);
    }
}

use Category::{Account, DataSecurity, Hardware, Network, Other, Software};
use Priority::{P1, P2, P3, P4};

#[test]
fn the_embedded_rules_are_sound() {
    assert!(Rules::parse(Rules::builtin_text()).is_ok());
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&*RULES);
}

#[test]
fn categories_in_both_languages() {
    category(
        Hardware,
        &[
            "打印机卡纸",
            "电脑蓝屏了",
            "笔记本开不了机",
            "显示器不亮",
            "键盘进水了",
            "电池鼓包",
            "会议室投影仪没信号 // 开会用的投影仪连上没有画面",
            "打印機故障",
            "printer paper jam",
            "laptop won't turn on",
            "Blue screen on my PC",
            "docking station not charging",
            "need a second monitor",
            "keyboard broken",
            "hp laptop overheating",
        ],
    );
    category(
        Software,
        &[
            "Excel打不开",
            "ERP系统报错",
            "WPS闪退",
            "用友提交失败",
            "outlook 启动不了",
            "钉钉打不开",
            "系统更新失败",
            "报表导不出来",
            "outlook crashes on start",
            "SAP error when posting",
            "cannot open excel file",
            "teams not loading",
            "windows update stuck",
            "crm giving error message",
            "job failed in job scheduler",
        ],
    );
    category(
        Network,
        &[
            "断网了",
            "VPN连不上",
            "无线信号弱",
            "上不了网",
            "网速很慢",
            "ping不通网关",
            "打不开网页",
            "IP地址冲突",
            "no internet in the office",
            "vpn disconnects every 10 minutes",
            "wifi is slow",
            "cannot connect to the network",
            "switch is down",
            "DNS not resolving",
            "Wi-Fi password for guests",
        ],
    );
    category(
        Account,
        &[
            "忘记密码",
            "账号被锁",
            "申请ERP权限",
            "新员工入职开通账号",
            "登录不了OA",
            "密码过期",
            "没有权限访问共享文件夹",
            "更換密碼後無法登入 // 帳號鎖定",
            "password reset",
            "account locked",
            "please unlock my account",
            "need access to shared folder",
            "cannot log in to SAP",
            "new hire starting Monday",
            "no permission to open the folder",
            "MFA token lost",
        ],
    );
    category(
        DataSecurity,
        &[
            "收到钓鱼邮件",
            "文件被加密，要赎金",
            "误删了合同文件",
            "电脑中毒了",
            "笔记本被偷",
            "数据泄露",
            "杀毒软件报警",
            "phishing email received",
            "ransomware on my laptop",
            "accidentally deleted the project folder",
            "suspicious email from the CEO",
            "lost laptop with customer data",
            "my mailbox was hacked",
        ],
    );
    category(
        Other,
        &[
            "会议室预订",
            "资产盘点",
            "工位搬迁",
            "发票抬头",
            "维保合同续费",
            "invoice for maintenance",
            "office move next month",
            "timesheet question",
            "book a meeting room",
            "我不知道写给谁",
        ],
    );
}

#[test]
fn the_matrix() {
    // blocked, degraded, request by company, department, one person
    priority(P1, &["全公司都打不开邮件", "all users cannot open outlook", "全公司断网"]);
    priority(P2, &["全公司网络很慢", "outlook is slow for all users"]);
    priority(
        P2,
        &[
            "财务部都登录不上用友",
            "several colleagues cannot print",
            "整个部门网络很慢",
            "the entire team has slow vpn",
        ],
    );
    priority(P3, &["我的电脑蓝屏了", "my printer is not working", "我的电脑很慢", "outlook is slow", "打印机卡纸"]);
    priority(
        P4,
        &[
            "如何设置邮箱签名",
            "how to set up an email signature",
            "申请ERP权限",
            "新员工入职开通账号",
            "need access to the sales folder",
            "new hire next week",
            "咨询一下报销系统怎么用",
        ],
    );
}

#[test]
fn a_workaround_lowers_a_department() {
    priority(
        P3,
        &[
            "整个部门打印机坏了 // 可以先用隔壁的打印机，临时方案有",
            "several colleagues cannot print // as a workaround we use the second floor printer",
        ],
    );
}

#[test]
fn core_systems_that_stand_still() {
    priority(
        P1,
        &[
            "ERP宕机了",
            "我这边ERP系统崩溃了",
            "SAP is down",
            "mail server down",
            "邮件系统瘫痪",
            "核心交换机宕机",
            "production database is down",
            "MES挂了",
        ],
    );
    category(
        Software,
        &[
            "ERP 宕机，财务部全部无法登录 // ERP 系统宕机了，我们都登录不上。\n报错：502 Bad Gateway",
            "ERP is down, nobody can log in",
        ],
    );
    priority(P2, &["switch sw-12 in building 3 is down", "the file server is down", "二楼交换机宕机"]);
    priority(P3, &["ERP打不开", "cannot log in to SAP", "erp report slow"]);
    never(
        "state.down",
        &["please download the erp report", "the drop down list in sap is empty", "system shut down normally"],
    );
}

#[test]
fn security_overrides() {
    priority(
        P1,
        &[
            "中了勒索病毒",
            "ransomware note on the screen",
            "客户资料泄露了",
            "我点了链接还输入了密码",
            "I clicked the link and entered my password",
            "account compromised, spam sent from my mailbox",
            "被攻击了，网页被篡改",
            "not urgent but our customer data leaked // security breach happened last night",
        ],
    );
    priority(
        P3,
        &[
            "收到钓鱼邮件，没有点击",
            "phishing email received, I did not click the link",
            "suspicious email, haven't clicked anything",
        ],
    );
    priority(P2, &["电脑中病毒", "重要数据丢失", "all my files are gone", "误删了重要合同文件"]);
}

#[test]
fn awareness_questions_are_no_incidents() {
    priority(P4, &["怎么防止勒索病毒", "如何防止钓鱼邮件", "how to prevent ransomware?"]);
    for mail in ["是不是中毒了？", "会不会被黑客入侵？", "is this a virus?", "Could this be ransomware?"]
    {
        assert!(judged(mail).priority >= P3, "{mail}");
        assert_eq!(judged(mail).category, DataSecurity, "{mail}");
    }
}

#[test]
fn drills_and_notices_are_no_incidents() {
    priority(
        P4,
        &[
            "钓鱼演练结果",
            "应急演练通知",
            "停机通知：今晚全公司网络中断",
            "病毒预警通知",
            "安全周报",
            "phishing drill next week",
            "Maintenance notice: ERP will be down",
            "security newsletter November",
        ],
    );
}

#[test]
fn a_notice_that_came_true_is_a_complaint() {
    priority(P1, &["Re: maintenance notice // ERP is still not working, SAP is down"]);
    priority(P3, &["回复: 维护通知 // 我这里还是不能上网"]);
}

#[test]
fn feeling_moves_one_step_and_never_to_the_top() {
    priority(
        P2,
        &[
            "打印机坏了，非常紧急",
            "urgent: printer not working",
            "URGENT!!! ASAP my laptop is dead",
            "十万火急 电脑蓝屏",
        ],
    );
    priority(P3, &["urgent: need access to the sales folder", "加急：申请ERP权限"]);
    priority(P2, &["紧急！整个部门无法打印"]);
}

#[test]
fn no_hurry() {
    priority(
        P4,
        &["打印机有点卡纸，不急", "my mouse is broken, no rush", "显示器偏色，有空处理", "not urgent: headset noise"],
    );
    never("urgency.urgent", &["不是很急，键盘坏了", "没那么紧急 非紧急 // 不急", "non-urgent request", "not urgent"]);
}

#[test]
fn denied_impact() {
    impact(
        Impact::Personal,
        &[
            "同事都正常，只有我上不了网",
            "others are fine, only me",
            "全公司别人都正常，就我一个人断网",
            "其他同事没问题，我打不开邮箱",
        ],
    );
    priority(P3, &["其他同事都正常，我上不了网", "the internet is down for me, others are fine"]);
}

#[test]
fn who_is_affected() {
    impact(
        Impact::Company,
        &[
            "所有人都上不了网",
            "company-wide outage",
            "nobody can log in",
            "120台电脑无法上网",
            "三百个用户受影响",
            "about 250 users affected",
        ],
    );
    impact(
        Impact::Department,
        &[
            "几个同事都连不上",
            "我们部门断网",
            "20个人打不开",
            "十几个同事无法登录",
            "several users cannot print",
            "35 users cannot log in",
        ],
    );
    impact(Impact::Personal, &["我的电脑坏了", "3个人上不了网", "my account", "2 users"]);
}

#[test]
fn solved_and_not_solved() {
    priority(
        P4,
        &["打印机坏了 // 已经好了，不用处理了", "vpn problem // works again, please ignore", "网络恢复正常了"],
    );
    priority(
        P3,
        &[
            "打印机还没解决",
            "vpn still not working",
            "没有恢复正常 // 网络还是不通",
            "it isn't fixed // printer",
            "又坏了 打印机",
        ],
    );
}

#[test]
fn negated_access_is_a_symptom() {
    category(Account, &["没有权限打开文件夹", "无权限", "no permission", "access denied"]);
}

#[test]
fn negated_subject() {
    let verdict = judged("不是网络问题，是打印机卡纸");
    assert_eq!(verdict.category, Hardware, "{:?}", verdict.matched);
    category(Software, &["it's not a printer issue, excel crashes"]);
}

#[test]
fn history_counts_less() {
    category(Network, &["现在上不了网 // 上次蓝屏过", "vpn down again // last month I had a printer paper jam"]);
    priority(P3, &["去年数据泄露过 // 现在打印机卡纸", "previously hacked // printer jam today"]);
}

#[test]
fn compound_nouns() {
    never("hardware", &["电脑包在哪领", "鼠标垫", "打印纸没有了", "a new mouse pad", "laptop bag", "网络会议改期"]);
    never(
        "network",
        &[
            "网络会议改到三点",
            "网络课程",
            "social network",
            "networking event",
            "switch off the light",
            "please switch to English",
        ],
    );
    never("data-security", &["感冒病毒请假", "flu virus at home", "安全帽"]);
    never("software", &["crash course in first aid", "软件采购"]);
    never("account", &["密码箱", "bank account number of the supplier", "account manager visit"]);
    never("state.blocked", &["银行卡 打卡地"]);
    never("urgency.urgent", &["急救培训", "急诊", "hard deadline"]);
}

#[test]
fn substrings() {
    for (text, word) in [
        ("the loan was approved", "oa"),
        ("the app works", "ap"),
        ("please read this", "ad"),
        ("VIP ship", "ip"),
        ("enterprise", "erp"),
        ("program", "ram"),
        ("the lesson", "sso"),
        ("ipcam", "pc"),
        ("upgrade of names", "mes"),
        ("maps", "sap"),
        ("shortage of outlooks", "tag"),
    ] {
        let verdict = judged(text);
        assert!(!verdict.matched.iter().any(|t| t.term == word), "{text}: {:?}", verdict.matched);
    }
}

#[test]
fn machine_text_is_not_urgent() {
    priority(
        P3,
        &[
            "script output // the import stopped, see below\n2026-11-23 10:00:01 ERROR critical failure, immediate action required\nFATAL: emergency shutdown",
            "print error // hello\n[ERROR] critical: urgent",
        ],
    );
}

#[test]
fn brands_and_people_mean_nothing() {
    never("urgency.urgent", &["华为路由器", "高急 打印机", "Dell laptop"]);
}

#[test]
fn two_faults_are_sorted_by_the_first() {
    category(Hardware, &["打印机卡纸 // 另外 VPN 也有点慢"]);
    category(Network, &["vpn not connecting // by the way my mouse is old"]);
}

#[test]
fn the_longest_match_wins() {
    category(Account, &["VPN账号过期", "vpn account expired", "ERP账号申请"]);
    category(Network, &["网络打印机连不上网络"]);
}

#[test]
fn reasons_are_given() {
    let verdict = judged("VPN连不上 // 全公司都连不上vpn，很急");
    let has = |points: &str, term: &str, place: &str| {
        verdict.matched.iter().any(|t| t.points_to == points && t.term == term && t.place == place && t.weight > 0.0)
    };
    assert!(has("network", "vpn", "subject"), "{:?}", verdict.matched);
    assert!(has("impact.company", "全公司", "body"), "{:?}", verdict.matched);
    assert!(has("urgency.urgent", "很急", "body"), "{:?}", verdict.matched);
    assert!(verdict.confidence > 0.5);
    assert_eq!(serde_json::to_value(&verdict.matched[0]).unwrap()["in"], "subject");
}

#[test]
fn nothing_known_is_a_guess() {
    let verdict = judged("你好 // 帮我看看");
    assert_eq!((verdict.category, verdict.priority), (Other, P3));
    assert!(verdict.confidence < 0.35);
    assert_eq!(judged("").confidence, 0.0);
}

#[test]
fn a_guess_keeps_the_higher_priority() {
    let mail = "how to: printer, network, password // cannot";
    assert!(judged(mail).confidence < 0.35);
    priority(P3, &[mail]);
    priority(P4, &["how to reset the password // cannot find it"]);
}

#[test]
fn a_site_extends_and_strikes_out() {
    let mut rules = Rules::builtin();
    assert_eq!(rules.triage("星云平台打不开", "").category, Software);
    rules
        .extend("remove = \"vpn\"\n[category.account]\nstrong = \"星云平台\"\n[[module]]\nname = \"星云\"\nwords = \"星云平台\"\n")
        .unwrap();
    assert_eq!(rules.triage("星云平台", "").category, Account);
    assert_eq!(rules.triage("星云平台宕机", "").priority, P1);
    assert!(!rules.triage("vpn", "").matched.iter().any(|t| t.term == "vpn"));
    let faults = rules.extend("[category.network]\nstrong = [3]").unwrap_err();
    assert_eq!(faults[0].to_string(), "line 2, category.network.strong: must be a text");
    assert_eq!(rules.triage("星云平台", "").category, Account, "a refused file changes nothing");
    rules.add_modules([("Portal", vec!["portal"], P2)]);
    assert_eq!(rules.triage("the portal is down", "").priority, P2);
}

#[test]
fn a_site_replaces_all() {
    let rules = Rules::parse("[category.hardware]\nstrong = \"坏了\"").unwrap();
    assert_eq!(rules.triage("VPN坏了", "").category, Hardware);
}

#[test]
fn s01_time_is_linear_and_nothing_panics() {
    let verdict = RULES.triage(&"不是".repeat(10_000), &"之前 vpn 是不是 down ".repeat(300_000));
    assert!(verdict.matched.len() <= 24);
    for odd in ["\u{0}", "İ", "ﬃ", "\u{202e}vpn", "é\u{301}\u{301}", "\r\n\r\n", "🙏", "ａ\u{300}"] {
        RULES.triage(odd, odd);
    }
}
