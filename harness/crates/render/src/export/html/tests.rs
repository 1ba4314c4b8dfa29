//! The page in a real browser, and its size.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::export::html::html;
use crate::export::sample::{HOSTILE, drawn, hostile};
use crate::export::{export, export_comparison};
use crate::text::one_line;
use harness_report::Report;
use harness_report::analysis::analyse;
use harness_test_tools::{Browser, DOWN, ENTER, RIGHT, TAB};

const METHODS: [&str; 6] = [
    "coop",
    "coop-csc",
    "kgcoop",
    "contcoop",
    "maple",
    "a-method-with-a-long-name",
];
const DATASETS: [(&str, usize); 7] = [
    ("shapes", 12),
    ("shapes-outline", 12),
    ("textures", 10),
    ("object-colours-blurred", 8),
    ("counting", 9),
    ("digits", 10),
    ("positions", 9),
];

/// Accessible names and the ratio of contrast of every text that is seen in the matrices, the
/// legends and the tables, lowest first.
const CONTRAST: &str = r#"
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const parse = (text) => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const [r, g, b, a = 1] = parse(getComputedStyle(one).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
};
let worst = [21, ""];
for (const one of document.querySelectorAll("td span, td small, th, td, p, li, .swatch, .key, figcaption, caption, label, legend")) {
  if (!one.checkVisibility() || !one.textContent.trim()) continue;
  const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, one.className + ": " + one.textContent.trim().slice(0, 40)];
}
return worst;
"#;

struct Ground {
    browser: Browser,
    folder: tempfile::TempDir,
}

impl Ground {
    /// Opens the page of a report.
    fn show(&self, report: &Report) {
        let path: PathBuf = self.folder.path().join("report.html");
        export(report, &crate::export::TableOptions::default(), &path).unwrap();
        self.browser.open(&path);
    }

    fn text(&self, script: &str) -> String {
        let value = self.browser.run(script);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{script}: {value}"))
            .to_owned()
    }

    fn number(&self, script: &str) -> f64 {
        let value = self.browser.run(script);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{script}: {value}"))
    }

    fn media(&self, media: &str, features: Value) {
        let parameters = json!({"media": media, "features": features});
        self.browser
            .chromium("Emulation.setEmulatedMedia", parameters);
    }
}

#[test]
fn the_page_in_a_browser() {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.resize(1280, 900, false);
    let ground = Ground {
        browser,
        folder: tempfile::tempdir().unwrap(),
    };
    let report = drawn(&METHODS, &DATASETS, &[1, 2, 3], 25);
    ground.show(&report);
    renders_without_a_word_on_the_console(&ground);
    the_switch_changes_the_matrix(&ground);
    an_entry_shows_its_seeds_and_classes(&ground, &report);
    methods_are_filtered_sorted_and_copied(&ground);
    an_address_shows_what_was_chosen(&ground);
    a_chart_is_saved_as_a_picture(&ground);
    the_summary_is_seen_in_a_large_matrix(&ground);
    the_keyboard_reaches_everything(&ground);
    every_text_can_be_read(&ground);
    a_phone_scrolls_only_tables(&ground);
    paper_shows_everything(&ground);
    an_older_report_stands_beside_it(&ground);
    the_matrix_needs_no_script(&ground);
    hostile_names_stay_text(&ground);
}

fn renders_without_a_word_on_the_console(ground: &Ground) {
    assert_eq!(ground.browser.console(), Vec::<String>::new());
    assert_eq!(ground.text("return document.title"), "quickstart · harness");
    let rows = "return document.querySelectorAll('.matrix tbody tr').length";
    assert_eq!(ground.number(rows), 7.0);
    let loaded = "return performance.getEntriesByType('resource').length";
    assert_eq!(ground.number(loaded), 0.0, "the page loads something");
    let charts = "return document.querySelectorAll('figure svg[role=img][aria-label]').length";
    assert_eq!(ground.number(charts), 1.0 + 7.0 + 6.0);
    let heads = "return [...document.querySelectorAll('table')].every((t) => t.caption && \
                 t.querySelector('th[scope]'))";
    assert_eq!(
        ground.browser.run(heads),
        json!(true),
        "a table lacks caption or heads"
    );
    ground.browser.picture("desktop");
}

/// What one entry shows.
const SHOWN: &str = "return [...document.querySelectorAll('td[data-at=\"1,2\"] > span')]\
                     .filter((s) => s.checkVisibility()).map((s) => s.className + '|' + \
                     s.innerText).join(';')";

fn the_switch_changes_the_matrix(ground: &Ground) {
    let mut seen = std::collections::BTreeSet::new();
    for view in ["verdict", "new", "delta", "h", "kept", "flips"] {
        ground
            .browser
            .click(&format!(".switch input[value={view}]"));
        let shown = ground.text(SHOWN);
        assert!(shown.starts_with(&format!("v {view}")), "{view}: {shown}");
        assert!(!shown.contains(';'), "more than one view: {shown}");
        assert!(seen.insert(shown.clone()), "{shown} again");
        ground.browser.picture(&format!("view-{view}"));
    }
}

fn an_entry_shows_its_seeds_and_classes(ground: &Ground, report: &Report) {
    ground.browser.click("td[data-at='1,2']");
    let chosen = "return [...document.querySelectorAll('.detail select')].map((s) => \
                  s.selectedOptions[0].text).join()";
    assert_eq!(ground.text(chosen), "coop-csc,textures");
    let analysis = analyse(report);
    let upgrade = &report.upgrades[0];
    let assessment = analysis.find(upgrade, 16, "coop-csc", "textures").unwrap();
    let mut classes = assessment.classes(report);
    classes.sort_by(|a, b| a.change().total_cmp(&b.change()));
    let cells = "return [...document.querySelectorAll('.classes tbody tr')].map((r) => \
                 [...r.cells].map((c) => c.innerText).join(' ')).join('\\n')";
    let shown = ground.text(cells);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), classes.len());
    for class in &classes {
        let lost = class.flips.negative as f64 / class.flips.images as f64;
        let start = format!(
            "class number {} 25 {:.1} {:.1} ",
            class.class,
            class.base * 100.0,
            class.new * 100.0
        );
        let end = format!(" {:.1} {:.1}", class.zero_target * 100.0, lost * 100.0);
        let line = lines.iter().find(|line| line.starts_with(&start));
        assert!(
            line.is_some_and(|line| line.ends_with(&end)),
            "{start}…{end}\n{shown}"
        );
    }
    assert!(lines[0].contains('▼'), "the greatest loss first: {shown}");
    ground.browser.click("button[data-sort=name]");
    assert!(ground.text(cells).starts_with("class number 0 "));
    let sorted = "return document.querySelector('.classes th').getAttribute('aria-sort')";
    assert_eq!(ground.text(sorted), "ascending");
    let seeds = "return document.querySelectorAll('.answer table')[0].tBodies[0].rows.length";
    assert_eq!(ground.number(seeds), 3.0);
}

/// Names of the methods that are seen, in order.
const SEEN: &str = "return [...document.querySelectorAll('.matrix tbody th')].filter((h) => \
                    h.checkVisibility()).map((h) => h.innerText.replace(/^\\d+\\s/, '')).join()";

fn methods_are_filtered_sorted_and_copied(ground: &Ground) {
    let type_into = |name: &str, text: &str| {
        ground.browser.run(&format!(
            "const i = document.querySelector('.tools [name={name}]'); i.value = '{text}'; \
             i.dispatchEvent(new Event('input'))"
        ));
    };
    type_into("methods", "KG");
    assert_eq!(ground.text(SEEN), "zero-shot,kgcoop");
    type_into("datasets", "shapes");
    let heads = "return [...document.querySelectorAll('.matrix thead th')].filter((h) => \
                 h.checkVisibility()).map((h) => h.innerText).join()";
    assert_eq!(ground.text(heads), "method,shapes,shapes-outline,mean");
    let status = "return document.querySelector('.tools [role=status]').textContent";
    assert_eq!(ground.text(status), "1 of 6 methods, 2 of 7 data sets");
    ground.browser.click(".switch input[value=new]");
    ground
        .browser
        .run("navigator.clipboard.writeText = async (text) => { window.copied = text; }");
    ground.browser.click("[data-copy=markdown]");
    let copied = ground.text("return window.copied");
    let lines: Vec<&str> = copied.lines().collect();
    assert_eq!(lines[0], "| method | shapes | shapes-outline | mean |");
    assert_eq!(lines.len(), 4, "{copied}");
    assert!(lines[3].starts_with("| 3 kgcoop | "), "{copied}");
    assert_eq!(ground.text(status), "copied");
    ground.browser.click("[data-copy=csv]");
    let copied = ground.text("return window.copied");
    assert!(copied.starts_with("\"method\",\"shapes\",\"shapes-outline\",\"mean\"\r\n"));
    type_into("methods", "");
    type_into("datasets", "");
    ground.browser.click(".matrix thead th:nth-child(2) button");
    let numbers = "return [...document.querySelectorAll('.matrix tbody tr:not(.zero)')].map((r) => \
                   parseFloat(r.cells[1].querySelector('.v.new').firstChild.textContent)).join()";
    let falling = ground.text(numbers);
    let falling: Vec<f64> = falling
        .split(',')
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(falling.is_sorted_by(|a, b| a >= b), "{falling:?}");
    ground.browser.click(".matrix thead th:nth-child(2) button");
    let rising = ground.text(numbers);
    let rising: Vec<f64> = rising
        .split(',')
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(rising.is_sorted(), "{rising:?}");
    let word = "return document.querySelector('.tools [name=verdict]').options[1].value";
    let word = ground.text(word);
    type_into("verdict", &word);
    let faint = "return [...document.querySelectorAll('.matrix td[data-at]')].every((cell) => \
                 cell.classList.contains('faint') !== [...cell.querySelectorAll('.v.verdict, .v.verdict small')] \
                 .some((e) => e.firstChild.textContent.trim() === arguments[0] || \
                 e.textContent.trim() === arguments[0]))";
    let faint = faint.replace("arguments[0]", &json!(word).to_string());
    assert_eq!(ground.browser.run(&faint), json!(true), "{word}");
}

fn an_address_shows_what_was_chosen(ground: &Ground) {
    ground.show(&drawn(&METHODS, &DATASETS, &[1, 2, 3], 25));
    ground.browser.click(".switch input[value=h]");
    ground.browser.click("td[data-at='2,3']");
    ground.browser.click(".matrix thead th:nth-child(4) button");
    let address = ground.text("return location.hash");
    let seen = ground.text(SEEN);
    let path = ground.folder.path().join("report.html");
    ground.browser.open(&path);
    assert_ne!(ground.text(SEEN), seen);
    ground.browser.run(&format!(
        "location.hash = {}; location.reload()",
        json!(address)
    ));
    let is_there =
        "return document.readyState === 'complete' && !document.querySelector('.tools').hidden";
    while ground.browser.run(is_there) != json!(true) {}
    assert_eq!(ground.text(SEEN), seen);
    assert!(ground.text(SHOWN).starts_with("v h"));
    let chosen =
        "return [...document.querySelectorAll('.detail select')].map((s) => s.value).join()";
    assert_eq!(ground.text(chosen), "2,3");
    assert_eq!(ground.browser.console(), Vec::<String>::new());
}

fn a_chart_is_saved_as_a_picture(ground: &Ground) {
    ground.browser.run(
        "window.saved = null; URL.createObjectURL = (blob) => { window.saved = [blob.type, blob.size]; \
         return '#'; }",
    );
    ground.browser.click("figure.large .save");
    let saved = "return window.saved === null ? '' : window.saved.join()";
    let mut found = String::new();
    for _ in 0..200 {
        found = ground.text(saved);
        if !found.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (kind, size) = found.split_once(',').expect("a picture was made");
    assert_eq!(kind, "image/png");
    assert!(
        size.parse::<u64>().unwrap() > 5000,
        "an empty picture: {size} bytes"
    );
    assert_eq!(ground.browser.console(), Vec::<String>::new());
}

fn the_summary_is_seen_in_a_large_matrix(ground: &Ground) {
    let methods: Vec<String> = (1..=20).map(|n| format!("method-{n}")).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let names = [
        "imagenet",
        "caltech101",
        "oxford-pets",
        "stanford-cars",
        "flowers102",
        "food101",
        "fgvc-aircraft",
        "sun397",
        "dtd",
        "eurosat",
        "ucf101",
    ];
    ground.show(&drawn(
        &methods,
        &names.map(|name| (name, 5)),
        &[1, 2, 3],
        25,
    ));
    let right = "return Math.max(...[...document.querySelectorAll('.matrix .mean')].map((cell) => \
                 cell.getBoundingClientRect().right)) - innerWidth";
    assert!(ground.number(right) <= 0.0, "the summary is out of sight");
    let names = "return [...document.querySelectorAll('figure.large text')].map((t) => \
                 t.textContent).filter((t) => t.startsWith('method-')).length";
    assert_eq!(ground.number(names), 20.0);
    let bars = "return document.querySelectorAll('figure.large .bar95').length";
    assert_eq!(ground.number(bars), 20.0);
    ground.browser.picture("large");
    ground.show(&drawn(&METHODS, &DATASETS, &[1, 2, 3], 25));
}

fn the_keyboard_reaches_everything(ground: &Ground) {
    ground
        .browser
        .run("document.activeElement.blur(); scrollTo(0, 0); getSelection().removeAllRanges()");
    ground.show(&drawn(&METHODS, &DATASETS, &[1, 2, 3], 25));
    let focus = "const e = document.activeElement; return e.tagName + '.' + (e.className || \
                 e.name || e.dataset.at || '')";
    let mut stops = Vec::new();
    for _ in 0..40 {
        ground.browser.press(&[TAB]);
        stops.push(ground.text(focus));
        if stops.last().is_some_and(|stop| stop.starts_with("TD.")) {
            break;
        }
    }
    for stop in [
        "A.skip",
        "A.",
        "INPUT.upgrade-1-view",
        "DIV.scroll",
        "TD.0,0",
    ] {
        assert!(
            stops.iter().any(|found| found == stop),
            "no {stop} in {stops:?}"
        );
    }
    ground.browser.press(&[DOWN, RIGHT, RIGHT]);
    assert_eq!(ground.text(focus), "TD.1,2");
    ground.browser.press(&[ENTER]);
    let heading = "return document.activeElement.textContent";
    assert!(ground.text(heading).starts_with("One entry"));
    ground.browser.press(&[TAB]);
    assert_eq!(ground.text(focus), "SELECT.method");
    let chosen = "return document.querySelector('.detail .method').value";
    assert_eq!(ground.text(chosen), "1");
    // The arrows move the switch, as in every group of choices.
    ground
        .browser
        .run("document.querySelector('.switch input').focus()");
    ground.browser.press(&[RIGHT]);
    assert!(ground.text(SHOWN).starts_with("v new"));
}

fn every_text_can_be_read(ground: &Ground) {
    for scheme in ["light", "dark"] {
        ground.media(
            "",
            json!([{"name": "prefers-color-scheme", "value": scheme}]),
        );
        for view in ["verdict", "new", "delta", "h", "kept", "flips"] {
            ground
                .browser
                .click(&format!(".switch input[value={view}]"));
            let worst = ground.browser.run(CONTRAST);
            assert!(
                worst[0].as_f64().unwrap() >= 4.5,
                "{scheme}, {view}: {worst}"
            );
        }
        ground.browser.picture(scheme);
    }
    ground.media("", json!([{"name": "forced-colors", "value": "active"}]));
    assert!(ground.text(SHOWN).starts_with("v flips"));
    ground.browser.picture("forced-colours");
    ground.media("", json!([]));
    ground
        .browser
        .run("document.documentElement.style.filter = 'grayscale(1)'");
    ground.browser.click(".switch input[value=verdict]");
    ground.browser.picture("without-colour");
    ground
        .browser
        .run("document.documentElement.style.filter = ''");
}

fn a_phone_scrolls_only_tables(ground: &Ground) {
    ground.browser.resize(360, 740, true);
    let beyond =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(ground.number("return innerWidth"), 360.0);
    assert_eq!(ground.number(beyond), 0.0, "the page is wider than a phone");
    let table = "const t = document.querySelector('.scroll'); return t.scrollWidth - t.clientWidth";
    assert!(ground.number(table) > 0.0, "the matrix is cut");
    ground.browser.picture("phone");
    ground.browser.resize(1280, 900, false);
}

fn paper_shows_everything(ground: &Ground) {
    ground.media(
        "print",
        json!([{"name": "prefers-color-scheme", "value": "dark"}]),
    );
    let hidden = "return ['nav', '.detail', '.skip'].every((s) => \
                  !document.querySelector(s).checkVisibility())";
    assert_eq!(ground.browser.run(hidden), json!(true));
    let labels = "return [...document.querySelectorAll('.switch label')]\
                  .filter((l) => l.checkVisibility()).map((l) => l.innerText.trim()).join()";
    assert_eq!(
        ground.text(labels),
        "Verdict",
        "paper says which view it shows"
    );
    let page = "return getComputedStyle(document.documentElement).backgroundColor";
    assert_eq!(ground.text(page), "rgb(255, 255, 255)", "paper is light");
    let overflow = "return getComputedStyle(document.querySelector('.scroll')).overflowX";
    assert_eq!(ground.text(overflow), "visible");
    ground.browser.picture("print");
    assert!(ground.browser.print().starts_with("JVBERi"), "no PDF file");
    ground.media("", json!([]));
}

fn an_older_report_stands_beside_it(ground: &Ground) {
    let old = drawn(&METHODS, &DATASETS, &[1, 2, 3], 25);
    let mut report = old.clone();
    for (at, cell) in report
        .cells
        .iter_mut()
        .enumerate()
        .filter(|(at, _)| at % 4 == 0)
    {
        let source = if at % 8 == 0 {
            &cell.conditions.zero_source
        } else {
            &cell.conditions.oracle
        };
        cell.conditions.new = source.clone();
    }
    report.datasets[2].manifest_sha256 = "other".to_owned();
    let path = ground.folder.path().join("comparison.html");
    export_comparison(&report, &old, &path).unwrap();
    ground.browser.open(&path);
    assert_eq!(ground.browser.console(), Vec::<String>::new());
    let rows = "return document.querySelectorAll('#comparison tbody tr').length";
    assert_eq!(ground.number(rows), METHODS.len() as f64);
    let warning = "return document.querySelector('#comparison .warning').innerText";
    assert!(ground.text(warning).contains("data set \"textures\""));
    let link = "return document.querySelector('nav a').getAttribute('href')";
    assert_eq!(ground.text(link), "#comparison");
    ground.browser.picture("comparison");
}

fn the_matrix_needs_no_script(ground: &Ground) {
    let off = json!({"value": true});
    ground
        .browser
        .chromium("Emulation.setScriptExecutionDisabled", off);
    ground.show(&drawn(&METHODS, &DATASETS, &[1], 25));
    ground.browser.click(".switch input[value=delta]");
    assert!(ground.text(SHOWN).starts_with("v delta"));
    let detail = "return document.querySelector('.detail').checkVisibility()";
    assert_eq!(ground.browser.run(detail), json!(false));
    let on = json!({"value": false});
    ground
        .browser
        .chromium("Emulation.setScriptExecutionDisabled", on);
}

fn hostile_names_stay_text(ground: &Ground) {
    ground.show(&hostile());
    assert_eq!(ground.browser.console(), Vec::<String>::new());
    assert_eq!(ground.browser.run("return window.hostile"), Value::Null);
    let names = "return [...document.querySelectorAll('.matrix thead th')].map((h) => \
                 h.textContent)";
    let shown = ground.browser.run(names);
    for name in HOSTILE {
        let expected = json!(one_line(name, 120));
        assert!(
            shown.as_array().unwrap().contains(&expected),
            "{expected} in {shown}"
        );
    }
    for field in ["0,0", "5,4", "12,12"] {
        let field = format!("td[data-at='{field}']");
        ground.browser.run(&format!(
            "document.querySelector(\"{field}\").scrollIntoView({{ block: 'center', inline: 'center' }})"
        ));
        ground.browser.click(&field);
    }
    assert_eq!(ground.browser.run("return window.hostile"), Value::Null);
    assert_eq!(ground.browser.console(), Vec::<String>::new());
    ground.browser.picture("hostile");
}

#[test]
fn a_great_report_stays_below_a_megabyte() {
    let methods: Vec<String> = (0..20).map(|n| format!("method-number-{n}")).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    // Class counts of the fifteen data sets of the field.
    let counts = [
        1000, 100, 37, 196, 102, 101, 100, 397, 47, 10, 101, 1000, 1000, 200, 200,
    ];
    let names: Vec<String> = (0..15).map(|n| format!("data-set-number-{n}")).collect();
    let names = names.iter().map(String::as_str);
    let datasets: Vec<(&str, usize)> = names.zip(counts).collect();
    let report = drawn(&methods, &datasets, &[1, 2, 3], 3);
    let page = html(&report, None).unwrap();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(
        page.len() > 500_000,
        "{} bytes: the classes are missing",
        page.len()
    );
}
