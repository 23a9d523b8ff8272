//! `docs/cli.md`: the help of every command.

use std::fmt::Write;

use super::CodegenError;

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask codegen` from the program's own help. -->

# The command line

Data goes to stdout, messages and progress to stderr. What `--output json` prints is described in [json.md](json.md).
";

/// The page; `ask` gives what the program prints for some arguments.
pub(super) fn page(
    ask: impl Fn(&[&str]) -> Result<String, CodegenError>,
) -> Result<String, CodegenError> {
    let overview = ask(&["--help"])?;
    let mut page = INTRODUCTION.to_owned();
    section(&mut page, "zonestack", &overview);
    for command in commands(&overview) {
        let help = ask(&[command, "--help"])?;
        section(&mut page, &format!("zonestack {command}"), &help);
        for nested in commands(&help) {
            let title = format!("zonestack {command} {nested}");
            section(&mut page, &title, &ask(&[command, nested, "--help"])?);
        }
    }
    Ok(page)
}

fn section(page: &mut String, title: &str, help: &str) {
    let lines: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(page, "\n## `{title}`\n\n```text\n{}\n```\n", lines.join("\n"));
}

/// The commands that the overview lists.
fn commands(overview: &str) -> Vec<&str> {
    let list = overview.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| line.starts_with("  "));
    let names = list.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_section() {
        let overview = "A tool.\n\nCommands:\n  up    Goes up\n        in two lines\n  down  Goes down  \n  help  Helps\n\nOptions:\n  -v";
        assert_eq!(commands(overview), ["up", "down"]);
        let page = page(|arguments| match arguments {
            ["--help"] => Ok(overview.to_owned()),
            ["up", "--help"] => Ok("Goes up.\n\nCommands:\n  far  Goes far\n".to_owned()),
            [command, ..] => Ok(format!("help of {command}  \n")),
            [] => Ok(String::new()),
        });
        let page = page.unwrap();
        assert!(page.contains("\n## `zonestack up far`\n\n```text\nhelp of up\n```\n"), "{page}");
        assert!(page.contains("\n## `zonestack down`\n\n```text\nhelp of down\n```\n"), "{page}");
    }
}
