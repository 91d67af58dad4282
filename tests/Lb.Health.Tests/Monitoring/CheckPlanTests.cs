using System.Collections;
using System.Reflection;

namespace Lb.Health.Tests.Monitoring;

public sealed class CheckPlanTests
{
    [Fact]
    public void Every_option_makes_a_difference()
    {
        Assert.True(CheckPlan.IsSame(new CheckOptions(), new CheckOptions()));

        // What a check began as is spelled out in its other options.
        Assert.True(CheckPlan.IsSame(new CheckOptions(), new CheckOptions { Use = "web-ok" }));
        foreach (PropertyInfo property in typeof(CheckOptions).GetProperties().Where(static p => p.Name != nameof(CheckOptions.Use)))
        {
            CheckOptions other = new();
            Change(other, property);
            Assert.False(CheckPlan.IsSame(new CheckOptions(), other), property.Name);
        }
    }

    [Theory]
    [InlineData(typeof(CheckRequestOptions))]
    [InlineData(typeof(CheckExpectOptions))]
    [InlineData(typeof(CheckStepOptions))]
    [InlineData(typeof(CheckTlsOptions))]
    [InlineData(typeof(CheckUdpOptions))]
    [InlineData(typeof(CheckDnsOptions))]
    public void Every_option_of_a_sub_section_makes_a_difference(Type section)
    {
        foreach (PropertyInfo property in section.GetProperties())
        {
            object changed = Activator.CreateInstance(section)!;
            Change(changed, property);
            Assert.True(CheckPlan.IsSame(With(Activator.CreateInstance(section)!), With(Activator.CreateInstance(section)!)));
            Assert.False(CheckPlan.IsSame(With(Activator.CreateInstance(section)!), With(changed)), property.Name);
        }
    }

    private static CheckOptions With(object section)
    {
        CheckOptions check = new();
        switch (section)
        {
            case CheckRequestOptions request: check.Requests.Add(request); break;
            case CheckExpectOptions expect: check.Expects.Add(expect); break;
            case CheckStepOptions step: check.Script.Add(step); break;
            case CheckTlsOptions tls: check.Tls = tls; break;
            case CheckUdpOptions udp: check.Udp = udp; break;
            case CheckDnsOptions dns: check.Dns = dns; break;
            default: throw new InvalidOperationException($"A new section: {section}.");
        }

        return check;
    }

    private static void Change(object options, PropertyInfo property)
    {
        if (property.GetValue(options) is IDictionary<string, string> map) map["other"] = "other";
        else if (property.GetValue(options) is IList list) list.Add(list is IList<string> ? "other" : Activator.CreateInstance(list.GetType().GenericTypeArguments[0]));
        else property.SetValue(options, Other(property, options));
    }

    private static object Other(PropertyInfo property, object options) => property.PropertyType switch
    {
        var t when t == typeof(string) => "other",
        var t when t == typeof(bool) => !(bool)property.GetValue(options)!,
        var t when t == typeof(int) || t == typeof(int?) => 77,
        var t when t == typeof(TimeSpan) || t == typeof(TimeSpan?) => TimeSpan.FromSeconds(77),
        var t when t == typeof(Func<IServiceProvider, object>) => new Func<IServiceProvider, object>(static _ => new TcpChecker()),
        var t when t.Name.EndsWith("Options", StringComparison.Ordinal) => Activator.CreateInstance(t)!,
        var t => throw new InvalidOperationException($"A new type of option: {t}."),
    };
}
