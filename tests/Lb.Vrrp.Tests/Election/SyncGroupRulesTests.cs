using static Lb.Vrrp.RouterState;

namespace Lb.Vrrp.Tests;

[Trait("Row", "V13")]
[Trait("Point", "52")]
public sealed class SyncGroupRulesTests
{
    [Theory]
    [InlineData(new[] { Fault, Active }, 0, Fault)]
    [InlineData(new[] { Backup, Fault }, 1, Fault)]
    [InlineData(new[] { Active, Backup, Backup }, 0, Active)]
    [InlineData(new[] { Active, Fault, Backup }, 0, null)]
    [InlineData(new[] { Backup, Active }, 0, Backup)]
    [InlineData(new[] { Backup, Backup }, 0, null)]
    [InlineData(new[] { Resigning, Active }, 0, null)]
    [InlineData(new[] { Initialize, Active }, 0, null)]
    public void The_others_follow_the_one_that_changed(RouterState[] members, int changed, RouterState? expected)
        => Assert.Equal(expected, SyncGroupRules.Others(members, changed));
}
