//! The field's standard words as types, with their names in both languages (`design.md` section 2).

use serde::{Deserialize, Serialize};

/// The languages letters and pages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Language {
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    pub fn parse(text: &str) -> Option<Language> {
        match text {
            "zh-CN" | "zh" => Some(Language::Chinese),
            "en" => Some(Language::English),
            _ => None,
        }
    }

    /// Picks the text of this language.
    pub fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }
}

/// Declares a closed list of words: the stored name, the Chinese name, the English name.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $key)] $variant,)* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// The name used in the store, the configuration and `--json`.
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $key,)* } }
            pub fn parse(text: &str) -> Option<$name> { match text { $($key => Some($name::$variant),)* _ => None } }
            /// The name shown to a reader.
            pub fn name(self, language: Language) -> &'static str {
                match self { $($name::$variant => language.pick($zh, $en),)* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words! {
    /// What a target is set for.
    Clock {
        Response = "response", "首次响应", "First response";
        Resolution = "resolution", "解决", "Resolution";
    }
}

words! {
    /// What a ticket is about.
    Category {
        Hardware = "hardware", "硬件", "Hardware";
        Software = "software", "软件", "Software";
        Network = "network", "网络", "Network";
        Account = "account", "账号权限", "Account and access";
        DataSecurity = "data-security", "数据安全", "Data security";
        Other = "other", "其他", "Other";
    }
}

words! {
    /// How fast a ticket must be handled; `P1` is the most urgent and the smallest value.
    Priority {
        P1 = "P1", "P1 紧急", "P1 critical";
        P2 = "P2", "P2 高", "P2 high";
        P3 = "P3", "P3 中", "P3 normal";
        P4 = "P4", "P4 低", "P4 low";
    }
}

words! {
    /// How many people are affected.
    Impact {
        Personal = "personal", "个人", "one person";
        Department = "department", "部门", "a department";
        Company = "company", "全公司", "the company";
    }
}

words! {
    /// What a pending ticket waits for.
    Wait {
        Requester = "requester", "等待报障人", "waiting for the requester";
        Vendor = "vendor", "等待厂商", "waiting for the vendor";
        Approval = "approval", "等待审批", "waiting for approval";
        Visit = "visit", "等待上门", "waiting for the visit";
    }
}

words! {
    /// Where a ticket stands. The reason of `Pending` stands beside it in `Ticket::wait`.
    Status {
        New = "new", "待处理", "new";
        Assigned = "assigned", "已受理", "accepted";
        InProgress = "in_progress", "处理中", "in progress";
        Pending = "pending", "挂起", "on hold";
        Resolved = "resolved", "已解决（待确认）", "resolved, waiting for confirmation";
        Closed = "closed", "已关闭", "closed";
        Cancelled = "cancelled", "已取消", "cancelled";
    }
}

words! {
    /// What somebody answers to an invitation (RFC 5545 section 3.2.12, RFC 5546 section 3.2.7).
    Attendance {
        Accepted = "accepted", "接受", "accepted";
        Tentative = "tentative", "暂定", "tentative";
        Declined = "declined", "谢绝", "declined";
        Countered = "countered", "提议改时间", "another time proposed";
    }
}

words! {
    /// The requester's judgement at the end.
    Rating {
        Satisfied = "satisfied", "满意", "satisfied";
        Mostly = "mostly", "基本满意", "mostly satisfied";
        Dissatisfied = "dissatisfied", "不满意", "dissatisfied";
    }
}

words! {
    /// How a report reached the engineer who registers it.
    Way {
        Phone = "phone", "电话", "phone";
        InPerson = "in_person", "当面", "in person";
        Chat = "chat", "即时消息", "chat";
        Mail = "mail", "邮件转发", "forwarded mail";
    }
}

words! {
    /// The facts the registration form asks for (`design.md` section 1, stage 1; `domain.md` 5.5).
    Field {
        Name = "name", "姓名", "Name";
        Department = "department", "部门", "Department";
        EmployeeId = "employee_id", "工号", "Employee number";
        Contact = "contact", "联系电话", "Phone";
        /// The [[site]] they work at; recognised, never asked for.
        Site = "site", "办公地点", "Site";
        When = "when", "发生时间和频率", "Since when, how often";
        Steps = "steps", "操作步骤", "Steps before it happened";
        Error = "error", "报错信息", "Error text";
        Impact = "impact", "影响范围（个人/部门/公司）", "Who is affected (me, department, company)";
        /// Where they sit: site, building, floor.
        Location = "location", "位置", "Location";
        /// Whom they report to; the directory's word.
        Manager = "manager", "直属上级", "Reports to";
        /// Marked as important in the directory.
        Vip = "vip", "通讯录标记", "Marked as";
        /// How it was reported, when not by mail.
        Channel = "channel", "报障方式", "Reported by";
    }
}

impl Field {
    /// What a requester may tell about the fault and about themselves; the others are the desk's own.
    pub const TOLD: [Field; 9] = [
        Field::Name,
        Field::Department,
        Field::EmployeeId,
        Field::Contact,
        Field::When,
        Field::Steps,
        Field::Error,
        Field::Impact,
        Field::Location,
    ];
}

impl Status {
    /// Work is still owed on it.
    pub fn is_open(self) -> bool {
        matches!(self, Status::New | Status::Assigned | Status::InProgress | Status::Pending)
    }

    /// Whether a ticket may go from here to `next` (`design.md` section 2).
    pub fn may_become(self, next: Status) -> bool {
        use Status::*;
        match (self, next) {
            (a, b) if a == b => false,
            // Reopening always leads back into work, never to `new`.
            (Resolved | Closed | Cancelled, InProgress | Assigned) => true,
            (Resolved, Closed) => true,
            (Resolved | Closed | Cancelled, _) => false,
            (_, New) => false,
            (New | Assigned | InProgress | Pending, _) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_back() {
        for word in Category::ALL {
            assert_eq!(Category::parse(word.as_str()), Some(*word));
        }
        for word in Status::ALL {
            assert_eq!(Status::parse(word.as_str()), Some(*word));
        }
    }

    #[test]
    fn legal_moves() {
        use Status::*;
        for (from, to, legal) in [
            (New, Assigned, true),
            (New, Resolved, true),
            (InProgress, New, false),
            (Pending, InProgress, true),
            (Resolved, Closed, true),
            (Resolved, Pending, false),
            (Closed, InProgress, true),
            (Closed, Resolved, false),
            (Cancelled, Closed, false),
            (Cancelled, InProgress, true),
        ] {
            assert_eq!(from.may_become(to), legal, "{from} -> {to}");
        }
    }
}
