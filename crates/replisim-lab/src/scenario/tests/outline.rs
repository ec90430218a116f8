//! The outline against texts with everything that RON has.

use super::super::Outline;

const TEXT: &str = r##"#![enable(implicit_some)]
// a comment with ( and "
Scenario( /* nested /* comments */ ( */
    plain: 1, r#type: r#"raw " string"#, text: "with \" and )", bytes: b"x", character: ')', quote: '\'',
    map: { "a.b": (inner: [1, 2.5e-3, -inf]), "a": 2, Read: 3 },
    some: Some((deep: Some(7))),
    faults: [
        At("1s", Kill("p")),
        During("1s", "2s", Cut(between: ("x", "y"))),
    ],
    unit: (), ü: "é",
)"##;

#[track_caller]
fn check(path: &str, expected: &str) {
    let outline = Outline::of(TEXT);
    assert_eq!(outline.broken, None);
    let found = outline.find(path).unwrap_or_else(|| panic!("{path} leads nowhere"));
    assert_eq!(outline.text(&found.span), expected, "{path}");
}

#[test]
fn paths_lead_to_values() {
    check("plain", "1");
    check("type", r##"r#"raw " string"#"##);
    check("text", r#""with \" and )""#);
    check("bytes", r#"b"x""#);
    check("character", "')'");
    check("quote", r"'\''");
    check("map.a", "2");
    check("map.a.b.inner[1]", "2.5e-3");
    check("map.a.b.inner[2]", "-inf");
    check("map.Read", "3");
    check("some.deep", "7");
    check("faults[0].At[1].Kill", r#""p""#);
    check("faults[0][1][0]", r#""p""#);
    check("faults[1].During[2].Cut.between[0]", r#""x""#);
    check("faults[1].Cut.between[1]", r#""y""#);
    check("Scenario.unit", "()");
    check("ü", r#""é""#);
}

#[test]
fn keys_are_the_same_however_they_are_quoted() {
    for map in [r#"{"run": 1}"#, r##"{r"run": 1}"##, r###"{r##"run"##: 1}"###, "(run: 1)", "(r#run: 1)"] {
        assert!(Outline::of(map).find("run").is_some(), "{map}");
    }
}

#[test]
fn what_does_not_exist_is_marked_at_what_is_around_it() {
    let outline = Outline::of(TEXT);
    assert_eq!(outline.text(&outline.mark("faults[7].At")), "faults");
    assert_eq!(outline.text(&outline.mark("map.b")), "map");
    assert_eq!(outline.text(&outline.mark("nothing")), "Scenario");
    assert_eq!(outline.text(&outline.mark_within("faults[1].Cut.between", "y")), "y");
}

#[test]
fn a_broken_text_keeps_what_stands_before() {
    let text = "(run: \"10s\", faults: [At(\"1s\" ? )], seed: 7)";
    let outline = Outline::of(text);
    assert_eq!(outline.broken, text.find('?'));
    assert_eq!(outline.text(&outline.find("run").unwrap().span), "\"10s\"");
    assert_eq!(outline.text(&outline.find("faults[0][0]").unwrap().span), "\"1s\"");
    assert!(outline.find("seed").is_none());
}

#[test]
fn two_texts_that_differ_in_comments_and_white_space_say_the_same() {
    let says = |text: &str| Outline::of(text).bare();
    let one = says("Scenario(a: [1, 2,], /* so */ b: Kill(\"x y\"), m: {Read: 1, \"k\": ()})");
    assert_eq!(
        one,
        says("// why\nScenario (\n a:[1,2],\n b : Kill( \"x y\" ), // there\n m: { Read: 1, \"k\": ( ) },\n)\n")
    );
    assert_ne!(one, says("Scenario(a: [1, 2], b: Kill(\"xy\"), m: {Read: 1, \"k\": ()})"));
    assert_ne!(one, says("Scenario(a: [12], b: Kill(\"x y\"), m: {Read: 1, \"k\": ()})"));
    assert_ne!(says("Scenario(a: (1))"), says("Scenario(a: [1])"));
    assert_ne!(says("Scenario(a: 1"), says("Scenario(a: 1 2"), "what is no RON is taken as it stands");
}
