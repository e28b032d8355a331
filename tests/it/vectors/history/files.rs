//! Files of a history: their names hold digits that nobody knows before.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::disk::{check_file, is_private_file, names_in, put, put_link};
use super::super::scan::check_keys;
use super::super::text::{Texts, is_content};
use super::super::{Outcome, expect_eq, fail};
use super::Answer;

/// How much of an instance is in the name of its file.
const TAG_DIGITS: usize = 8;

/// The folder of a case.
pub(super) struct Files<'a>(pub(super) &'a Path);

impl Files<'_> {
    /// Everything that is called as the last part of the path says, in which `*` is any text.
    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        let path = self.0.join(pattern);
        let Some((folder, last)) = path.parent().zip(path.file_name()) else { return vec![] };
        let last = last.to_string_lossy();
        let is_it = |name: &String| tag_of(&last, name).is_some();
        names_in(folder).iter().filter(|name| is_it(name)).map(|name| folder.join(name)).collect()
    }

    /// The one file that is meant.
    fn only(&self, pattern: &str) -> Outcome<PathBuf> {
        let mut found = self.matching(pattern);
        match (found.pop(), found.len()) {
            (Some(path), 0) => Ok(path),
            (_, _) => fail(format!("{pattern} is not exactly one of {:?}", names_in(self.0))),
        }
    }

    pub(super) fn put(&self, path: &str, file: &Value, texts: &Texts) -> Outcome<PathBuf> {
        let path = if path.contains('*') { self.only(path)? } else { self.0.join(path) };
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if !(is_file && is_content(file)) {
            remove(&path);
        }
        match file["kind"].as_str() {
            Some("symlink") => put_link(&path, &self.0.join("target"), file, texts)?,
            _ => put(&path, file, texts)?,
        }
        Ok(path)
    }

    pub(super) fn remove(&self, path: &str) -> Outcome<Answer> {
        remove(&self.only(path)?);
        Ok(Answer::Nothing)
    }

    /// Checks the files that are named; gives what is to be kept of them.
    pub(super) fn check(&self, files: &Value, texts: &Texts) -> Outcome<Vec<(String, Value)>> {
        let mut kept = vec![];
        for (pattern, expected) in files.as_object().into_iter().flatten() {
            let pattern = texts.text(pattern)?;
            if expected.get("json").is_some() {
                kept.extend(self.check_json(&pattern, expected, texts)?);
            } else if expected["kind"] == "missing" {
                expect_eq("what should be missing", self.matching(&pattern), vec![])?;
            } else {
                check_file(&self.only(&pattern)?, expected, texts)?;
            }
        }
        Ok(kept)
    }

    fn check_json(
        &self,
        pattern: &str,
        expected: &Value,
        texts: &Texts,
    ) -> Outcome<Vec<(String, Value)>> {
        check_keys(expected, &["json", "exact", "keep"])?;
        let path = self.only(pattern)?;
        expect_eq(&format!("{pattern} is private"), is_private_file(&path), true)?;
        let text = fs::read(&path).expect("a file of the case");
        let Ok(Value::Object(found)) = serde_json::from_slice(&text) else {
            return fail(format!("{pattern} holds no object"));
        };
        let wanted = expected["json"].as_object().cloned().unwrap_or_default();
        compare(pattern, &found, &wanted, texts)?;
        if expected["exact"] == true {
            let is_expected =
                |key: &&String| wanted.get(*key).is_none_or(|value| value == "<absent>");
            let more: Vec<_> = found.keys().filter(is_expected).collect();
            expect_eq(&format!("further keys of {pattern}"), more, vec![])?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let last = pattern.rsplit('/').next().unwrap_or_default();
        if let Some(tag) = tag_of(last, &name).filter(|_| last.ends_with("-*.json")) {
            let instance = found.get("instance").and_then(Value::as_str).unwrap_or_default();
            expect_eq("digits in the name", Some(tag), instance.get(..TAG_DIGITS))?;
        }
        let keep = expected["keep"].as_object().into_iter().flatten();
        keep.map(|(name, key)| match key.as_str().and_then(|key| found.get(key)) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => fail(format!("{pattern} has no {key}")),
        })
        .collect()
    }

    /// Checks all names in folders.
    pub(super) fn check_names(&self, folders: &Value, texts: &Texts) -> Outcome {
        for (folder, patterns) in folders.as_object().into_iter().flatten() {
            let mut left = names_in(&self.0.join(folder));
            let mut missing = vec![];
            for pattern in patterns.as_array().into_iter().flatten() {
                let Some(pattern) = pattern.as_str() else { return fail("a name is no text") };
                let pattern = texts.text(pattern)?;
                match left.iter().position(|name| tag_of(&pattern, name).is_some()) {
                    Some(place) => drop(left.swap_remove(place)),
                    None => missing.push(pattern),
                }
            }
            expect_eq(
                &format!("what else is, and is not, in {folder}"),
                (left, missing),
                (vec![], vec![]),
            )?;
        }
        Ok(())
    }
}

/// Whether a path ends as the vector says.
pub(super) fn is_end(wanted: &str, path: &Path) -> bool {
    let path = path.display().to_string().replace('\\', "/");
    let parts = wanted.matches('/').count() + 1;
    let start = path.rmatch_indices('/').nth(parts - 1).map_or(0, |(at, _)| at + 1);
    tag_of(wanted, &path[start..]).is_some()
}

/// What `*` stands for in a name, if the name is of the pattern.
fn tag_of<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    match pattern.split_once('*') {
        None => (pattern == name).then_some(""),
        Some((before, after)) => name.strip_prefix(before)?.strip_suffix(after),
    }
}

fn compare(
    what: &str,
    found: &Map<String, Value>,
    wanted: &Map<String, Value>,
    texts: &Texts,
) -> Outcome {
    for (key, wanted) in wanted {
        let wanted = texts.value(wanted)?;
        match (found.get(key), wanted.as_str()) {
            (None, Some("<absent>")) => {}
            (Some(value), Some("<any>")) if !value.is_null() => {}
            (found, _) => expect_eq(&format!("{key} of {what}"), found, Some(&wanted))?,
        }
    }
    Ok(())
}

fn remove(path: &Path) {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        fs::remove_dir_all(path).expect("a folder of the case");
    } else if let Err(error) = fs::remove_file(path) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
}
