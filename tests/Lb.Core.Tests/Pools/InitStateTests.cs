namespace Lb.Core.Tests.Pools;

[Trait("Row", "P14")]
public sealed class InitStateTests
{
    [Theory]
    [InlineData(InitState.None, ServerHealth.Down)]
    [InlineData(InitState.FullyUp, ServerHealth.Up)]
    [InlineData(InitState.Up, ServerHealth.Up)]
    [InlineData(InitState.Down, ServerHealth.Down)]
    [InlineData(InitState.FullyDown, ServerHealth.Down)]
    public void With_checks_a_server_joins_as_its_options_say(InitState state, ServerHealth health)
    {
        ServerPool pool = TestPool.Create(1, configure: o =>
        {
            o.Checks.Add(new CheckOptions());
            o.Servers[0].InitState = state;
        });
        Assert.Equal(health, pool.Get("a").Health);
        Assert.Equal(state, pool.Get("a").InitState);

        ServerOptions late = TestPool.Server("late");
        late.InitState = state;
        Assert.Equal(health, pool.Add(late).Health);
    }

    [Theory]
    [InlineData(InitState.None)]
    [InlineData(InitState.FullyUp)]
    [InlineData(InitState.Up)]
    [InlineData(InitState.Down)]
    [InlineData(InitState.FullyDown)]
    public void Without_checks_a_server_is_always_up(InitState state)
    {
        ServerPool pool = TestPool.Create(1, configure: o => o.Servers[0].InitState = state);
        Assert.Equal(ServerHealth.Up, pool.Get("a").Health);
    }

    [Theory]
    [InlineData(InitState.None, ServerHealth.Up, ServerHealth.Up)]
    [InlineData(InitState.None, ServerHealth.Down, ServerHealth.Down)]
    [InlineData(InitState.Down, ServerHealth.Up, ServerHealth.Down)]
    [InlineData(InitState.Up, ServerHealth.Down, ServerHealth.Up)]
    public void A_server_that_is_added_again_keeps_what_was_known_of_it_only_with_none(InitState state, ServerHealth before, ServerHealth after)
    {
        ServerPool pool = TestPool.Create(2, configure: o =>
        {
            o.Checks.Add(new CheckOptions());
            o.Servers[0].InitState = state;
        });
        Server a = pool.Get("a");
        pool.SetHealth(a, before);
        Assert.Equal(RemoveResult.Removed, pool.Remove(a, force: true));
        ServerOptions again = TestPool.Server("a");
        again.InitState = state;
        Assert.Equal(after, pool.Add(again).Health);
    }
}
