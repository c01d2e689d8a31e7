fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    maildesk::cli::explain::explain(&args[1..], &mut std::io::stdout().lock())
}
