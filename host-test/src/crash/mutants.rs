//! Mutants: copies of the component's sources with a patch that removes the logic of a safeguard.

use super::safeguards::{Removal, SAFEGUARDS, Safeguard, Verdict};
use crate::instance::ENGINE;
use crate::requirement::target_directory;
use crate::simulator::host::ComponentUnderTest;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};
use wasmtime::component::Component;

/// The files and directories of the workspace from which the component is built.
const SOURCES: &[&str] = &["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "crates", "src", "wit"];

/// Returns the directory of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the directory of the patches.
pub fn patches() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants")
}

/// Returns the file of the patch that removes a safeguard.
pub fn patch_file(safeguard: &Safeguard) -> PathBuf {
    patches().join(format!("{}.patch", safeguard.name))
}

/// Returns the safeguards that patches remove.
pub fn patched_safeguards() -> impl Iterator<Item = &'static Safeguard> {
    SAFEGUARDS.iter().filter(|safeguard| safeguard.removal == Removal::Patch)
}

/// Returns the header that the patch of a safeguard must have: the safeguard, its promise, and the detector that must kill
/// the mutant.
pub fn header(safeguard: &Safeguard) -> String {
    let Safeguard { name, promise, detector, .. } = safeguard;
    format!("Safeguard: {name}\nPromise: {promise}\nDetector: {detector}\n")
}

/// Checks that a patch applies to the sources of the workspace.
///
/// # Errors
///
/// The words of git where it does not.
pub fn check_applies(patch: &Path) -> Result<(), String> {
    git_apply(&workspace(), &["--check"], patch)
}

/// A copy of the component's sources.
pub struct Copy {
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Copies the sources of the component into a directory below the target directory.
    ///
    /// # Errors
    ///
    /// The copy fails, or the manifest of the workspace has no list of members.
    pub fn new() -> Result<Copy, String> {
        let directory = target_directory().join("mutants");
        let sources = directory.join("sources");
        let removed = match fs::remove_dir_all(&sources) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        let copied = removed.and_then(|()| {
            SOURCES.iter().try_for_each(|source| copy(&workspace().join(source), &sources.join(source)))
        });
        copied.map_err(|error| format!("the sources cannot be copied: {error}"))?;
        let manifest = sources.join("Cargo.toml");
        let all = fs::read_to_string(&manifest).map_err(|error| error.to_string())?;
        fs::write(&manifest, component_alone(&all)?).map_err(|error| error.to_string())?;
        Ok(Copy { sources, target: directory.join("target") })
    }

    /// Builds the component from the copy, as it is now.
    ///
    /// # Errors
    ///
    /// The words of the compiler where it does not build.
    pub fn build(&self) -> Result<ComponentUnderTest, String> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.sources).args(["build", "--quiet", "--offline", "--profile", "component", "--lib"]);
        cargo.args(["--target", "wasm32-wasip2", "--target-dir"]).arg(&self.target);
        // A mutant is built once and runs for seconds.
        cargo.env("CARGO_PROFILE_COMPONENT_LTO", "off").env("CARGO_PROFILE_COMPONENT_OPT_LEVEL", "1");
        cargo.env("CARGO_PROFILE_COMPONENT_CODEGEN_UNITS", "16").env("CARGO_PROFILE_COMPONENT_INCREMENTAL", "true");
        // Flags are meant for the machine that cargo builds for, and would replace those of the component.
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        run(&mut cargo)?;
        let file = self.target.join("wasm32-wasip2/component/queue_store.wasm");
        let bytes = fs::read(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let component = Component::new(&ENGINE, bytes).map_err(|error| format!("the mutant is not valid: {error}"))?;
        Ok(ComponentUnderTest::of(&component))
    }

    /// Applies the patch of a safeguard, runs the detector on the mutant and on `control`, the component without a patch,
    /// and takes the patch back.
    ///
    /// # Errors
    ///
    /// The patch does not apply, or the mutant does not build.
    pub fn judge(&self, safeguard: &Safeguard, control: &ComponentUnderTest) -> Result<Verdict, String> {
        let patch = patch_file(safeguard);
        git_apply(&self.sources, &[], &patch)?;
        let mutant = self.build();
        git_apply(&self.sources, &["--reverse"], &patch)?;
        let without = safeguard.detector.detect(&mutant?, None);
        Ok(Verdict::of(without, safeguard.detector.detect(control, None)))
    }
}

/// Returns the manifest of the workspace with the component as its only member; cargo adds its path dependencies.
fn component_alone(manifest: &str) -> Result<String, String> {
    let mut found = false;
    let lines = manifest.lines().filter(|line| !line.starts_with("default-members =")).map(|line| {
        let is_members = line.starts_with("members =");
        found |= is_members;
        if is_members { "members = [\".\"]" } else { line }
    });
    let manifest = lines.collect::<Vec<_>>().join("\n");
    if found { Ok(manifest) } else { Err("the manifest of the workspace has no line with its members".to_string()) }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(to, fs::read(from)?)
}

fn git_apply(directory: &Path, options: &[&str], patch: &Path) -> Result<(), String> {
    let directory = directory.canonicalize().map_err(|error| error.to_string())?;
    let mut git = Command::new("git");
    // Outside of a repository, paths are relative to the directory.
    git.env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap_or(&directory)).env_remove("GIT_DIR");
    git.current_dir(&directory).arg("apply").args(options).arg(patch);
    run(&mut git)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?} does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
