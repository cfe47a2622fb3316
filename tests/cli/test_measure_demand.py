"""Forecasts of demand are measured on made-up shops by one command."""


def test_the_command_prints_tables(script):
    ran = script("measure-demand", "--simulate=1", "--weeks=16")
    assert ran.code == 0, ran.err
    assert "orders of 1 shops of each kind and length, by shop" in ran.out
    ran = script("measure-demand")
    assert ran.code == 2
    assert "expected --workdir=RUN, or --simulate=40" in ran.err
