//! Whether our own mail server vouches for the author (`hardening.md` S7, S8): the `Authentication-Results` field,
//! read by its grammar (RFC 8601 section 2.2). Whatever does not fit the grammar proves nothing.

/// Bytes of one field that are looked at; a longer one proves nothing.
const MAX_FIELD: usize = 16 * 1024;

/// Our server says that DMARC passed for the author's domain.
///
/// `results` are the message's `Authentication-Results` fields, unfolded. Exactly one of them must carry
/// `own_authserv_id`: with two, one is forged. Every dmarc result in it must be `pass` and name `from_domain` as
/// `header.from`. Without a configured id nobody is ever proven.
pub fn dmarc_pass(results: &[String], own_authserv_id: &str, from_domain: &str) -> bool {
    if own_authserv_id.is_empty() || from_domain.is_empty() {
        return false;
    }
    let mut own = results.iter().filter(|field| claims_id(field, own_authserv_id));
    let (Some(field), None) = (own.next(), own.next()) else { return false };
    let Some(methods) = parse(field) else { return false };
    let mut dmarc = methods.iter().filter(|m| m.name == "dmarc").peekable();
    dmarc.peek().is_some() && dmarc.all(|m| m.result == "pass" && m.names_domain(from_domain))
}

/// The field begins with that id, well-formed or not.
fn claims_id(field: &str, id: &str) -> bool {
    let mut tokens = Tokens { rest: field };
    match tokens.next() {
        Some(Ok(Token::Word(word) | Token::Quoted(word))) => word.eq_ignore_ascii_case(id),
        // A field that cannot be read might be anybody's, also a second one of ours.
        Some(Ok(Token::Sign(_)) | Err(Malformed)) => field.to_ascii_lowercase().contains(&id.to_ascii_lowercase()),
        None => false,
    }
}

/// One `resinfo`: what a method found.
struct Method {
    /// Lower case.
    name: String,
    /// Lower case.
    result: String,
    /// `header.from` and the like, lower case, with their values.
    properties: Vec<(String, String)>,
}

impl Method {
    fn names_domain(&self, domain: &str) -> bool {
        let mut named = self.properties.iter().filter(|(name, _)| name == "header.from").map(|(_, value)| value);
        let same = |value: &String| {
            let value = value.rsplit_once('@').map_or(value.as_str(), |(_, d)| d);
            value.trim_end_matches('.').eq_ignore_ascii_case(domain.trim_end_matches('.'))
        };
        matches!((named.next(), named.next()), (Some(value), None) if same(value))
    }
}

/// Reads a whole field; `None` when it does not follow the grammar or says `none`.
fn parse(field: &str) -> Option<Vec<Method>> {
    if field.len() > MAX_FIELD {
        return None;
    }
    let tokens: Vec<Token> = Tokens { rest: field }.collect::<Result<_, Malformed>>().ok()?;
    let mut parts = tokens.split(|t| *t == Token::Sign(';'));
    // authserv-id, perhaps a version
    let head = parts.next()?;
    if !matches!(head, [Token::Word(_) | Token::Quoted(_)] | [Token::Word(_) | Token::Quoted(_), Token::Word(_)]) {
        return None;
    }
    let parts: Vec<&[Token]> = parts.collect();
    // One empty part at the end is a habit of several servers.
    let parts = match parts.split_last() {
        Some(([], rest)) => rest,
        _ => &parts,
    };
    parts.iter().map(|part| method(part)).collect()
}

/// `method[/version]=result [reason=value] [ptype.property=value]...`
fn method(tokens: &[Token]) -> Option<Method> {
    let [Token::Word(name), Token::Sign('='), Token::Word(result), properties_at @ ..] = tokens else { return None };
    let name = name.split('/').next().unwrap_or(name);
    let mut rest: &[Token] = properties_at;
    let mut properties = Vec::new();
    while !rest.is_empty() {
        let [Token::Word(property), Token::Sign('='), Token::Word(value) | Token::Quoted(value), tail @ ..] = rest
        else {
            return None;
        };
        properties.push((property.to_ascii_lowercase(), value.clone()));
        rest = tail;
    }
    Some(Method { name: name.to_ascii_lowercase(), result: result.to_ascii_lowercase(), properties })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    /// `;` or `=`.
    Sign(char),
}

#[derive(Debug)]
struct Malformed;

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    /// Steps over blanks and comments, nested ones too.
    fn skip_comments(&mut self) -> Result<(), Malformed> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
            if !self.rest.starts_with('(') {
                return Ok(());
            }
            let (mut depth, mut escaped, mut end) = (0usize, false, None);
            for (at, c) in self.rest.char_indices() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = Some(at + 1);
                    break;
                }
            }
            self.rest = &self.rest[end.ok_or(Malformed)?..];
        }
    }

    fn quoted(&mut self) -> Result<Token, Malformed> {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Token::Quoted(text));
                }
                _ => text.push(c),
            }
        }
        Err(Malformed)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.skip_comments().is_err() {
            self.rest = "";
            return Some(Err(Malformed));
        }
        let first = self.rest.chars().next()?;
        match first {
            ';' | '=' => {
                self.rest = &self.rest[1..];
                Some(Ok(Token::Sign(first)))
            }
            '"' => Some(self.quoted()),
            ')' | '\\' => Some(Err(Malformed)),
            _ => {
                let end =
                    self.rest.find(|c: char| c.is_whitespace() || "();=\"".contains(c)).unwrap_or(self.rest.len());
                let word = self.rest[..end].to_owned();
                self.rest = &self.rest[end..];
                Some(Ok(Token::Word(word)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[&str], want: bool) {
        let fields: Vec<String> = fields.iter().map(|f| f.to_string()).collect();
        assert_eq!(dmarc_pass(&fields, "mx.corp.example", "corp.example"), want, "{fields:?}");
    }

    #[test]
    fn s7_only_one_field_of_our_own_server_counts() {
        check(&["mx.corp.example; dmarc=pass header.from=corp.example"], true);
        check(&["MX.Corp.Example; DMARC=Pass Header.From=CORP.example"], true);
        check(&["mx.evil.example; dmarc=pass header.from=corp.example"], false);
        check(&["mx.evil.example; dmarc=fail", "mx.corp.example; dmarc=pass header.from=corp.example"], true);
        let forged = "mx.corp.example; dmarc=pass header.from=corp.example";
        check(&["mx.corp.example; dmarc=fail header.from=corp.example", forged], false);
        check(&[forged, forged], false);
        check(&[forged, "(mx.corp.example; dmarc=none"], false);
        check(&[], false);
        assert!(!dmarc_pass(&[forged.to_owned()], "", "corp.example"));
        assert!(!dmarc_pass(&["; dmarc=pass header.from=corp.example".to_owned()], "", "corp.example"));
    }

    #[test]
    fn s8_the_grammar_decides() {
        for field in [
            "mx.corp.example 1; dmarc=pass header.from=corp.example",
            "\"mx.corp.example\"; dmarc=pass header.from=corp.example",
            "mx.corp.example; spf=fail smtp.mailfrom=evil.example; dkim=fail; dmarc=pass header.from=corp.example",
            "mx.corp.example; dkim=pass header.d=corp.example header.b=ab/cd+e; dmarc=pass header.from=corp.example",
            "mx.corp.example; dmarc=pass (p=none; dis=none) header.from=corp.example",
            "mx.corp.example (our mx);\r\n\tdmarc = pass (p=quarantine) header.from = corp.example;",
            "mx.corp.example; dmarc/1=pass header.from=corp.example",
            "mx.corp.example; dmarc=pass reason=\"all; good=yes\" header.from=corp.example",
            "mx.corp.example; dmarc=pass policy.dmarc=none header.from=\"corp.example\"",
            "mx.corp.example; dmarc=pass header.from=li@corp.example",
            "mx.corp.example; dmarc=pass (a (nested) \\) comment) header.from=corp.example.",
        ] {
            check(&[field], true);
        }
        for field in [
            "mx.corp.example; dmarc=fail (dmarc=pass header.from=corp.example) header.from=corp.example",
            "mx.corp.example; dmarc=fail reason=\"; dmarc=pass header.from=corp.example\" header.from=corp.example",
            "mx.corp.example; x-dmarc=pass header.from=corp.example",
            "mx.corp.example; dmarc=pass",
            "mx.corp.example; dmarc=pass header.from=evil.example",
            "mx.corp.example; dmarc=pass header.from=corp.example.evil.example",
            "mx.corp.example; dmarc=pass header.from=evilcorp.example",
            "mx.corp.example; dmarc=pass header.from=corp.example header.from=evil.example",
            "mx.corp.example; dmarc=pass smtp.mailfrom=corp.example",
            "mx.corp.example; dmarc=fail header.from=corp.example; dmarc=pass header.from=corp.example",
            "mx.corp.example; dmarc=pass header.from=corp.example; dmarc=fail header.from=corp.example",
            "mx.corp.example; dmarc=bestguesspass header.from=corp.example",
            "mx.corp.example; dmarc=passed header.from=corp.example",
            "mx.corp.example; none",
            "mx.corp.example; spf=pass smtp.mailfrom=corp.example",
            "mx.corp.example; dkim=pass header.d=corp.example header.from=corp.example",
            "mx.corp.example dmarc=pass header.from=corp.example",
            "mx.corp.example; dmarc=pass header.from=corp.example (never closed",
            "mx.corp.example; dmarc=pass header.from=\"corp.example",
            "mx.corp.example.evil.example; dmarc=pass header.from=corp.example",
            "(mx.corp.example;) evil.example; dmarc=pass header.from=corp.example",
            "evil.example mx.corp.example; dmarc=pass header.from=corp.example",
            "mx.corp.example; dmarc=\"pass\" header.from=corp.example",
            "mx.corp.example; dmarc=pass header.from=corp.example junk",
            "",
        ] {
            check(&[field], false);
        }
    }

    #[test]
    fn s54_endless_fields_are_linear() {
        check(&[&format!("mx.corp.example; {}", "(".repeat(200_000))], false);
        check(&[&format!("mx.corp.example; {}", "a=b;".repeat(200_000))], false);
    }
}
