use clap::Parser;

fn main() -> std::process::ExitCode {
    // Before anything opens a TLS connection: ring is the only provider in the tree. Fails only when set already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    maildesk::cli::run(maildesk::cli::Cli::parse())
}
