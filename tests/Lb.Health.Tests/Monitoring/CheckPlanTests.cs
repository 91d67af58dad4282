using System.Reflection;

namespace Lb.Health.Tests.Monitoring;

public sealed class CheckPlanTests
{
    [Fact]
    public void Every_option_makes_a_difference()
    {
        Assert.True(CheckPlan.IsSame(new CheckOptions(), new CheckOptions()));
        foreach (PropertyInfo property in typeof(CheckOptions).GetProperties())
        {
            CheckOptions other = new();
            if (property.GetValue(other) is IList<string> texts)
            {
                texts.Add("other");
                Assert.False(CheckPlan.IsSame(new CheckOptions(), other), property.Name);
                continue;
            }

            object value = property.PropertyType switch
            {
                var t when t == typeof(string) => "other",
                var t when t == typeof(bool) => true,
                var t when t == typeof(int) || t == typeof(int?) => 77,
                var t when t == typeof(TimeSpan) || t == typeof(TimeSpan?) => TimeSpan.FromSeconds(77),
                var t when t == typeof(Func<IServiceProvider, object>) => new Func<IServiceProvider, object>(static _ => new TcpChecker()),
                var t => throw new InvalidOperationException($"A new type of option: {t}."),
            };
            property.SetValue(other, value);
            Assert.False(CheckPlan.IsSame(new CheckOptions(), other), property.Name);
        }
    }
}
