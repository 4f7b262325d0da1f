//! Prometheus's text format, as far as gauges need it.

use super::figures::{Figure, Label, METRICS, SELECTION, TASK};
use std::fmt::Write;

/// The figures of each metric in one place, as the format demands it.
pub(super) fn written(figures: &[Figure]) -> String {
    let mut text = String::new();
    for metric in METRICS {
        let mut lines = figures.iter().filter(|figure| figure.metric == *metric).map(line).peekable();
        if lines.peek().is_some() {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "# HELP {0} {1}\n# TYPE {0} gauge", metric.name, metric.help);
            text.extend(lines);
        }
    }
    text
}

fn line(figure: &Figure) -> String {
    let labels = std::iter::once(&figure.group).chain(&figure.labels);
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{}{{{}}} {}\n", figure.metric.name, labels.join(","), figure.value)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The figures of a text that [`written`] has made; what is none of ours is left out.
pub(super) fn read(text: &str) -> Vec<Figure> {
    text.lines().filter_map(figure).collect()
}

fn figure(line: &str) -> Option<Figure> {
    let (name, mut rest) = line.split_once('{')?;
    let metric = METRICS.iter().find(|metric| metric.name == name)?;
    let mut labels = Vec::new();
    let value = loop {
        labels.push(label(&mut rest)?);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break rest.strip_prefix("} ")?.to_owned(),
        }
    };
    value.parse::<f64>().ok()?;
    let group = labels.remove(0);
    let is_ours = group.0 == TASK || group.0 == SELECTION;
    is_ours.then_some(Figure { metric, group, labels, value })
}

/// Takes `name="value"` from the beginning of the text.
fn label(rest: &mut &str) -> Option<Label> {
    let (name, quoted) = rest.split_once("=\"")?;
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => {
                *rest = &quoted[at + 1..];
                return Some((name.to_owned(), value));
            }
            (_, '\\') => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, other) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Figure, METRICS, SELECTION, TASK};
    use super::{read, written};
    use proptest::prelude::{Strategy, any, proptest};

    fn figure(metric: usize, task: &str, column: Option<&str>) -> Figure {
        let labels = column.map(|column| ("column".to_owned(), column.to_owned())).into_iter().collect();
        Figure { metric: METRICS[metric], group: (TASK.into(), task.into()), labels, value: "1.5".into() }
    }

    #[test]
    fn a_metric_stands_in_one_place_and_labels_are_escaped() {
        let text = written(&[figure(6, "a\\b", Some("x\"y\nz")), figure(2, "é{}", None), figure(6, "c", None)]);
        let expected = "# HELP project_task_rows Rows that its last success has published.
# TYPE project_task_rows gauge
project_task_rows{task=\"é{}\"} 1.5
# HELP project_task_changed_values Values that had no exact place and were changed by a policy.
# TYPE project_task_changed_values gauge
project_task_changed_values{task=\"a\\\\b\",column=\"x\\\"y\\nz\"} 1.5
project_task_changed_values{task=\"c\"} 1.5
";
        assert_eq!(text, expected);
        assert_eq!(written(&[]), "");
    }

    #[test]
    fn what_is_not_ours_is_not_read() {
        let ours = "project_task_rows{task=\"users\"} 7\n";
        assert_eq!(written(&read(ours)).lines().last(), ours.lines().last());
        for text in [
            "",
            "# HELP project_task_rows x",
            "project_task_rows 7",
            "node_load1{task=\"users\"} 7",
            "project_task_rows{job=\"users\"} 7",
            "project_task_rows{task=\"users\"}",
            "project_task_rows{task=\"users\"} seven",
            "project_task_rows{task=\"users} 7",
            "project_task_rows{task=\"users\" 7",
            "project_task_rows{} 7",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_label_comes_back(task in any::<String>(), column in proptest::option::of(any::<String>()), at in 0..METRICS.len()) {
            let mut figures = [figure(at, &task, column.as_deref()), figure(at, &task, None)];
            figures[1].group.0 = SELECTION.to_owned();
            assert_eq!(read(&written(&figures)), figures);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(project_task_rows|x)?[{}]?(task=)?\"?.{0,20}\"?[}]? ?[0-9]?".prop_map(|text| text)) {
            let _ = read(&text);
        }
    }
}
