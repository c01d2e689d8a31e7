//! The command line (`design.md` 5.1): what can be asked for, and how each command ends.

pub mod check;
pub mod digest;
mod erase;
pub mod explain;
mod export;
pub mod ingest;
mod log;
pub mod search;
pub mod ticket;
mod triage;
mod zip;

use crate::address::Address;
use crate::config::{Config, EXAMPLE, Log};
use crate::daemon;
use crate::demo;
use crate::desk::policy::Targets;
use crate::desk::ticket::Number;
use crate::desk::triage::Rules;
use clap::{Args, Parser, Subcommand};
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// A helpdesk that lives in the mailbox.
#[derive(Debug, Parser)]
#[command(name = "maildesk", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a ticket's whole life in a temporary folder; needs no configuration and no server
    Demo(DemoArgs),
    /// Run the desk until SIGTERM
    Run(ConfigArgs),
    /// Name every fault of the configuration with file, line and key
    Check(CheckArgs),
    /// Say how messages would be understood; touches nothing
    Explain(ExplainArgs),
    /// Put messages into the desk as if they had come by mail
    Ingest(IngestArgs),
    /// What the desk knows
    #[command(subcommand)]
    Ticket(TicketCommand),
    /// Find articles and tickets by words, in Chinese and English
    Search(SearchArgs),
    /// Take everything about a person away; what happened stays, without whose it was
    Erase(EraseArgs),
    /// Take away what [retention] says has been kept long enough
    Retention(RetentionArgs),
    /// Preview a report without sending it
    Digest(DigestArgs),
    /// How well the keywords sort, and what other keywords would change; changes nothing
    #[command(subcommand)]
    Triage(TriageCommand),
    /// Print the commented example configuration
    Config,
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Also try the mailboxes, the way letters leave, and the database; sends nothing
    #[arg(long)]
    pub connect: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play to the end without waiting and without a browser
    #[arg(long)]
    pub play: bool,
    /// Wait for mail and links, but open no browser
    #[arg(long)]
    pub no_browser: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// One JSON object per message, one per line
    #[arg(long)]
    pub json: bool,
    /// Sort by the keyword rules of this configuration
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read the files as mbox: several messages each
    #[arg(long)]
    pub mbox: bool,
    /// Files, or folders with one message a file; "-" or nothing: standard input
    pub paths: Vec<String>,
}

#[derive(Debug, Args)]
pub struct IngestArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Read the files as mbox: several messages each
    #[arg(long)]
    pub mbox: bool,
    /// Files, or folders with one message a file; "-" or nothing: standard input
    pub paths: Vec<String>,
}

#[derive(Debug, Args)]
pub struct EraseArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Only say how much it would be
    #[arg(long)]
    pub dry_run: bool,
    /// The person's mail address
    #[arg(value_parser = address)]
    pub address: Address,
}

#[derive(Debug, Args)]
pub struct RetentionArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Only say how much it would be
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// One JSON object per answer, one per line
    #[arg(long)]
    pub json: bool,
    /// At most so many answers
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
    /// All of them have to be there
    #[arg(required = true)]
    pub words: Vec<String>,
}

#[derive(Debug, Args)]
pub struct DigestArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// As if it were written on this day, or at this moment: 2026-11-02, "2026-11-02 08:30"; default: now
    #[arg(long, value_name = "DATE")]
    pub at: Option<String>,
    /// Write it as HTML, and beside it under the same name text, pictures, workbook, rows (.csv) and the mail (.eml);
    /// default: the text on standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Name of the [[digest]]
    pub name: String,
}

#[derive(Debug, Subcommand)]
pub enum TriageCommand {
    /// Accuracy by what people corrected, and keywords to add, drop or reweight with their effect on past tickets
    Review(ReviewArgs),
    /// Sort past tickets by a changed file and print what would differ; exit code 0 also when much does
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Only tickets that arrived within so many days; default: all
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    pub last: Option<u16>,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Only tickets that arrived within so many days; default: all
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    pub last: Option<u16>,
    /// Print every ticket that differs, not the first 50
    #[arg(long)]
    pub all: bool,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
    /// A rules file, in the place of the one that [triage] names; or a whole configuration
    pub rules: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum TicketCommand {
    /// Tickets, newest first
    List(ListArgs),
    /// One ticket with its timeline
    Show(ShowArgs),
    /// One ticket as a folder or ZIP file: record, readable dossier, all mails and files
    Export(ExportArgs),
    /// What belongs to no ticket: quarantine, and machines' mail kept aside
    Aside(AsideArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// One JSON object per ticket, one per line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct AsideArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Write the messages, byte for byte, and their attachments into this folder
    #[arg(long, value_name = "FOLDER")]
    pub save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// A new or empty folder, or a new file that ends in .zip
    #[arg(short, long, value_name = "PLACE")]
    pub output: PathBuf,
    /// Such as IT001
    #[arg(value_parser = number)]
    pub number: Number,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
    /// Write the ticket's messages and attachments into this folder
    #[arg(long, value_name = "FOLDER")]
    pub save: Option<PathBuf>,
    /// Such as IT001
    #[arg(value_parser = number)]
    pub number: Number,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).ok_or_else(|| "expected a mail address such as zhang@example.com".into())
}

fn number(text: &str) -> Result<Number, String> {
    Number::parse(text).ok_or_else(|| "expected a ticket number such as IT001".into())
}

/// Why a command did not do what was asked; decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something failed; exit code 1.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
    /// Wrong usage or configuration, one complaint a line; exit code 2.
    #[error("{}", .0.join("\n"))]
    Usage(Vec<String>),
    /// Nothing is lost, try again later; exit code 75 (`EX_TEMPFAIL` of sysexits, which mail servers understand).
    #[error("{0:#}")]
    Later(anyhow::Error),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Later(_) => 75,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Failed(error.into())
    }
}

/// Carries out a command and says on standard error what went wrong.
pub fn run(cli: Cli) -> ExitCode {
    let failure = match dispatch(cli.command) {
        Ok(()) => return ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as `head` does.
        Err(Failure::Failed(error)) if is_broken_pipe(&error) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let _ = writeln!(std::io::stderr(), "{failure}");
    ExitCode::from(failure.exit_code())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(broken))
}

fn dispatch(command: Command) -> Result<(), Failure> {
    let out = &mut std::io::stdout();
    match command {
        Command::Config => Ok(out.write_all(EXAMPLE.as_bytes())?),
        Command::Check(args) => {
            let config = check::check(&args.config.config, out, &mut std::io::stderr())?;
            if args.connect { block_on(check::connect(&config, out)) } else { Ok(()) }
        }
        Command::Explain(args) => {
            let (rules, targets) = match &args.config {
                Some(file) => load(file).map(|config| (config.rules, config.targets))?,
                None => (Arc::new(Rules::builtin()), Targets::default()),
            };
            let mut out = std::io::BufWriter::new(out);
            Ok(explain::explain(&args.paths, args.mbox, args.json, &rules, &targets, &mut out)?)
        }
        Command::Demo(args) => {
            log::start(Log::default());
            let wait = !args.play && std::io::stdin().is_terminal();
            block_on(async { Ok(demo::play(wait, out).await?) })
        }
        Command::Run(args) => {
            let config = start(&args)?;
            block_on(async { Ok(daemon::run(&args.config, config).await?) })
        }
        Command::Ingest(args) => block_on(ingest::ingest(start(&args.config)?, args.mbox, &args.paths, out)),
        Command::Erase(args) => block_on(erase::erase(start(&args.config)?, &args.address, args.dry_run, out)),
        Command::Retention(args) => block_on(erase::retention(start(&args.config)?, args.dry_run, out)),
        Command::Search(args) => {
            block_on(search::search(start(&args.config)?, &args.words.join(" "), args.limit, args.json, out))
        }
        Command::Digest(args) => block_on(digest::preview(start(&args.config)?, &args, out)),
        Command::Triage(TriageCommand::Review(args)) => {
            block_on(triage::review(start(&args.config)?, args.last, args.json, out))
        }
        Command::Triage(TriageCommand::Test(args)) => block_on(triage::test(start(&args.config)?, &args, out)),
        Command::Ticket(TicketCommand::List(args)) => block_on(ticket::list(start(&args.config)?, args.json, out)),
        Command::Ticket(TicketCommand::Export(args)) => {
            block_on(export::export(start(&args.config)?, args.number, &args.output, out))
        }
        Command::Ticket(TicketCommand::Aside(args)) => {
            block_on(ticket::aside(start(&args.config)?, args.save.as_deref(), out))
        }
        Command::Ticket(TicketCommand::Show(args)) => {
            block_on(ticket::show(start(&args.config)?, args.number, args.json, args.save.as_deref(), out))
        }
    }
}

/// Reads the configuration; its faults are a usage failure, one line each.
pub fn load(file: &std::path::Path) -> Result<Config, Failure> {
    Config::load(file).map_err(|faults| Failure::Usage(faults.iter().map(ToString::to_string).collect()))
}

/// Reads the configuration and starts the log as it says; warnings go to the log.
fn start(args: &ConfigArgs) -> Result<Config, Failure> {
    let config = load(&args.config)?;
    log::start(config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // What takes long is done beside it (`flow`, the database's own threads); each further thread would keep six megabytes
    // more and make nothing faster.
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_as_documented() {
        for good in [
            "demo --play",
            "demo --no-browser",
            "run -c x",
            "check --config x",
            "check -c x --connect",
            "explain --json a b",
            "explain -",
            "explain -c x --mbox a",
            "ingest -c x -",
            "ticket list -c x --json",
            "ticket show -c x it7",
            "ticket export -c x IT001 --output y.zip",
            "ticket aside -c x --save y",
            "search -c x --json 打印 机",
            "erase -c x --dry-run zhang@example.com",
            "retention -c x --dry-run",
            "triage review -c x --last 90 --json",
            "triage test -c x --all keywords.toml",
            "digest -c x weekly --at 2026-11-02 --output y.html",
            "config",
        ] {
            assert!(Cli::try_parse_from(std::iter::once("maildesk").chain(good.split(' '))).is_ok(), "{good}");
        }
        for bad in ["", "run", "check", "ingest a", "ticket", "ticket show -c x 7", "config -c x", "frobnicate"] {
            let error = Cli::try_parse_from(std::iter::once("maildesk").chain(bad.split_terminator(' '))).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn failures_have_their_exit_codes() {
        let again = || anyhow::anyhow!("the database is away");
        assert_eq!(Failure::Failed(again()).exit_code(), 1);
        assert_eq!(Failure::Usage(vec![]).exit_code(), 2);
        assert_eq!(Failure::Later(again()).exit_code(), 75);
        assert_eq!(Failure::Usage(vec!["a".into(), "b".into()]).to_string(), "a\nb");
    }
}
