use maud::{DOCTYPE, Markup, html};

use super::blocks::{Block, blocks, severity_word};
use super::glossary::glossary;
use super::input::{Page, Report};
use super::list::{file, list};
use super::picture::{by_account, coverage};
use super::policy::{policy, script, styles};
use super::text::{code, plain, text, tone_class};
use crate::config::Diagnostic;
use crate::report::view::{Body, Closing, Difference, Document, Section, Severity, grouped};

/// Renders a page.
pub(in crate::report) fn page(page: &Page<'_>) -> String {
    let Page { title, severity, reports, fleet, diagnostics, .. } = page;
    let blocks = blocks(reports);
    let id = |wanted: &Block<'_>| {
        let index = blocks.iter().position(|block| std::ptr::eq(block, wanted));
        format!("section-{}", index.unwrap_or_default() + 1)
    };
    let is_late = |block: &&Block<'_>| block.severity == Severity::Detail && !block.is_list();
    let early = blocks.iter().filter(|block| !block.is_list() && !is_late(block));
    let lists: Vec<&Block<'_>> = blocks.iter().filter(|block| block.is_list()).collect();
    let late = blocks.iter().filter(is_late);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (policy())
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("iam-boundaries ", env!("CARGO_PKG_VERSION")));
                link rel="icon" href="data:,";
                title { (plain(title)) }
                (styles())
            }
            body {
                main {
                    (header(page, *severity))
                    div.overview {
                        @if let [first, ..] = &reports[..] { (counts(first.document)) }
                        @if let Some(coverage) = coverage(reports) { (coverage) }
                    }
                    @if let Some(fleet) = fleet && !fleet.rows.is_empty() { (by_account(fleet, reports)) }
                    @if blocks.len() > 1 { (contents(&blocks, id)) }
                    @if let Some(glossary) = glossary(reports, &blocks) { (glossary) }
                    @for block in early { (section(block, &id(block), &[])) }
                    @if !lists.is_empty() { div #filters hidden {} }
                    @for block in lists { (section(block, &id(block), diagnostics)) }
                    @for block in late { (section(block, &id(block), &[])) }
                }
                footer {
                    "Made by iam-boundaries " (env!("CARGO_PKG_VERSION"))
                    ". The page is complete without a network."
                }
                (script())
            }
        }
        "\n"
    };
    markup.into_string()
}

/// The title, the result and the digest.
fn header(page: &Page<'_>, severity: Severity) -> Markup {
    html! {
        header class=(tone_class(severity.tone())) {
            h1 { (text(page.title)) }
            @if let Some(Closing { label, parts }) = page.closing {
                p.result {
                    strong { (label) ":" } " "
                    @for (n, (tone, part)) in parts.iter().enumerate() {
                        @if n > 0 { "; " }
                        span class=(tone_class(*tone)) { (text(part)) }
                    }
                }
            }
            @if let [Report { document: Document { digest: Some((label, digest)), .. }, .. }, ..] = &page.reports[..] {
                p.digest { (label) ": " code { (digest.to_string()) } }
            }
        }
    }
}

/// The table of counts; nothing without any.
fn counts(document: &Document<'_>) -> Markup {
    let is_labeled = document.counts.len() > 1;
    html! {
        @if !document.counts.is_empty() {
            section.counts aria-labelledby="counts" {
                h2 #counts { "Changes" }
                table {
                    thead {
                        tr {
                            @if is_labeled { th scope="col" { "origin" } }
                            @for column in ["add", "change", "remove"] {
                                th.number scope="col" { (column) }
                            }
                        }
                    }
                    tbody {
                        @for row in &document.counts {
                            tr {
                                @if is_labeled { th scope="row" { (row.label) } }
                                @for (class, count) in
                                    [("add", row.add), ("change", row.change), ("remove", row.remove)]
                                {
                                    td class={ "number " (if count > 0 { class } else { "" }) } { (grouped(count)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Links to the blocks, with their numbers of rows.
fn contents(blocks: &[Block<'_>], id: impl Fn(&Block<'_>) -> String) -> Markup {
    html! {
        nav aria-label="Sections" {
            ul {
                @for block in blocks {
                    li {
                        a href={ "#" (id(block)) } class=(tone_class(block.severity.tone())) {
                            (heading(block))
                            @if block.is_list() { " " span.count { (grouped(block.len())) } }
                        }
                    }
                }
            }
        }
    }
}

fn heading(block: &Block<'_>) -> Markup {
    match block.heading {
        Some(heading) => text(heading),
        None => html! { "Changes" },
    }
}

/// A block with its heading, message, rows and help.
fn section(block: &Block<'_>, id: &str, diagnostics: &[Diagnostic]) -> Markup {
    html! {
        section id=(id) class={ "block " (tone_class(block.severity.tone())) } aria-labelledby={ (id) "-heading" } {
            h2 id={ (id) "-heading" } {
                @if let Some(word) = severity_word(block.severity) { span.badge { (word) } " " }
                (heading(block))
                @if block.is_list() { " " span.count { (grouped(block.len())) } }
                @if let Some(file) = file(block) { span.file { "lines of " (code(file)) } }
            }
            @if let Some(message) = block.message { p { (text(message)) } }
            @if block.is_list() {
                div.scroll { (list(block, diagnostics)) }
            } @else {
                @for (account, section) in &block.parts {
                    @if let Some(account) = account { h3 { (code(account)) } }
                    (body(section))
                }
            }
            @if let Some(help) = block.help { p.help { "help: " (text(help)) } }
        }
    }
}

/// A body without rows.
fn body(section: &Section<'_>) -> Markup {
    match &section.body {
        Body::Statements(statements) => html! {
            ul.statements { @for statement in statements { li { (text(statement)) } } }
        },
        Body::Differences(differences) => html! {
            ul.statements { @for it in differences { li { (difference(it)) } } }
        },
        Body::Names(names) => html! {
            div.scroll {
                table.names {
                    thead { tr { th scope="col" { "short name" } th scope="col" { "policy" } } }
                    tbody {
                        @for (name, arn) in names {
                            tr { th scope="row" { (code(name)) } td { (code(arn.as_str())) } }
                        }
                    }
                }
            }
        },
        Body::Changes(_) | Body::Rows(_) | Body::Group(_) | Body::Same(_) => html! {},
    }
}

fn difference(difference: &Difference<'_>) -> Markup {
    html! {
        (text(&difference.statement))
        @if !difference.lines.is_empty() {
            details open {
                summary { "difference" }
                pre.difference {
                    @for line in difference.lines {
                        @match line.as_bytes().first() {
                            Some(b'+') => ins { (line.as_str()) },
                            Some(b'-') => del { (line.as_str()) },
                            _ => (line.as_str()),
                        }
                        "\n"
                    }
                }
            }
        }
    }
}
