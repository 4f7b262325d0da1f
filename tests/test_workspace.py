"""What holds for every crate of the workspace."""

import tomllib
import unittest

import program

WORKSPACE = tomllib.loads((program.REPOSITORY / "Cargo.toml").read_text())["workspace"]


class Workspace(unittest.TestCase):
    def test_no_crate_of_ours_has_unsafe_code(self):
        self.assertEqual(WORKSPACE["lints"]["rust"]["unsafe_code"], "forbid")
        for member in WORKSPACE["members"]:
            manifest = tomllib.loads((program.REPOSITORY / member / "Cargo.toml").read_text())
            self.assertEqual(manifest.get("lints"), {"workspace": True}, member)

    def test_one_tls_stack_and_no_c_library_of_postgres(self):
        bans = tomllib.loads((program.REPOSITORY / "deny.toml").read_text())["bans"]
        banned = {ban["crate"] for ban in bans["deny"]}
        self.assertLessEqual({"openssl-sys", "native-tls", "ring", "pq-sys", "hyper:<1", "h2:<0.4"}, banned)
        single = {ban["crate"] for ban in bans["deny"] if ban.get("deny-multiple-versions")}
        self.assertLessEqual({"rustls", "hyper", "h2"}, single)


if __name__ == "__main__":
    unittest.main()
