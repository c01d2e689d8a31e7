fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let given = |option: &str| args.iter().any(|a| a == option);
    let paths: Vec<String> = args.iter().filter(|a| *a == "-" || !a.starts_with('-')).cloned().collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    maildesk::cli::explain::explain(&paths, given("--mbox"), given("--json"), |_, _| None, &mut out)
}
