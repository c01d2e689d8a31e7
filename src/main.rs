fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let mbox = args.iter().any(|a| a == "--mbox");
    let paths: Vec<String> = args.into_iter().filter(|a| a == "-" || !a.starts_with('-')).collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let faults = maildesk::cli::explain::as_json(&paths, mbox, &|_| None, &mut out)?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    if !faults.is_empty() {
        std::process::exit(1);
    }
    Ok(())
}
